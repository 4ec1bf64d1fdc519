// A sorted table as leveldb writes it: keys and values in blocks, found through an index block.
//
// Source: leveldb's doc/table_format.md. leveldb's own reader trusts its file (the size of a block near 2^64
// wraps around and is read out of bounds, a huge one is allocated), so tables that come from outside are read
// here, where every offset, size and checksum is looked at before use.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace expctl {

/// kIgnore lets a fuzzer get past checksums that it cannot make; nothing else uses it.
enum class Checksums { kVerify, kIgnore };

/// Every key with its value. Throws Error naming the source and what is wrong: no table, cut short, a block
/// that is not in the file, is compressed, or whose checksum does not fit, keys that do not rise or are
/// longer than 1024 bytes.
std::map<std::string, std::string> read_table(std::string_view bytes, const std::string& source,
                                              Checksums checksums = Checksums::kVerify);

}  // namespace expctl
