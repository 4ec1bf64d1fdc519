// Reads numbers and texts one after the other from bytes that nobody vouches for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace expctl {

/// The bytes must outlive the reader. Every call throws Error (`where` says of what) in place of reading past
/// their end.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, std::string where) : rest_(bytes), where_(std::move(where)) {}

  bool empty() const { return rest_.empty(); }
  /// Seven bits a byte, the lowest first, as leveldb and Protocol Buffers write them; at most ten bytes.
  uint64_t varint();
  uint32_t fixed32();  ///< little-endian, likewise the next
  uint64_t fixed64();
  std::string_view take(uint64_t count);

  [[noreturn]] void refuse(const std::string& why) const;

 private:
  std::string_view rest_;
  std::string where_;
};

}  // namespace expctl
