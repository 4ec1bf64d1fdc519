#include "formats/table_file.h"

#include <fmt/core.h>

#include <span>

#include "core/error.h"
#include "formats/byte_reader.h"
#include "formats/crc32c.h"

namespace expctl {
namespace {

constexpr uint64_t kMagic = 0xdb4775248b80fb57;
constexpr size_t kFooterSize = 48;
constexpr size_t kTrailerSize = 5;    // the type of compression, the checksum
constexpr size_t kLargestKey = 1024;  // keys share beginnings: a short file could claim endlessly long ones

using Entries = std::map<std::string, std::string>;

/// Where a block lies.
struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

BlockHandle read_handle(ByteReader& reader) {
  const uint64_t offset = reader.varint();
  return {offset, reader.varint()};
}

class Table {
 public:
  Table(std::string_view bytes, const std::string& source, Checksums checksums)
      : bytes_(bytes), source_(source), checksums_(checksums) {}

  Entries read() const {
    Entries entries;
    for (const auto& [last_key, value] : read_block(index_handle(), "the index block")) {
      const std::string where = fmt::format("the block up to '{}'", last_key);
      ByteReader handle(value, fmt::format("{}: {}", source_, where));
      Entries block = read_block(read_handle(handle), where);
      if (block.empty()) refuse(where + ": it holds nothing");  // else one block could be named without end
      for (auto& [key, content] : block) {
        if (!entries.empty() && key <= entries.rbegin()->first) refuse(where + ": its keys do not rise");
        entries.emplace_hint(entries.end(), key, std::move(content));
      }
    }
    return entries;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(fmt::format("{}: {}", source_, why), "the file may be damaged or cut short; copy it again");
  }

  BlockHandle index_handle() const {
    if (bytes_.size() < kFooterSize) refuse("no table: shorter than a table's footer");
    ByteReader footer(bytes_.substr(bytes_.size() - kFooterSize), source_ + ": the footer");
    ByteReader handles(footer.take(kFooterSize - sizeof(kMagic)), source_ + ": the footer");
    if (footer.fixed64() != kMagic) refuse("no table: its last bytes are not a table's");
    read_handle(handles);  // of the block about blocks, which says nothing about the content
    return read_handle(handles);
  }

  /// The block's bytes, checked.
  std::string_view block_at(const BlockHandle& handle, const std::string& where) const {
    if (handle.offset > bytes_.size() || handle.size > bytes_.size() - handle.offset ||
        bytes_.size() - handle.offset - handle.size < kTrailerSize) {
      refuse(fmt::format("{}: {} bytes at {} are not in the file", where, handle.size, handle.offset));
    }
    const auto with_type = bytes_.substr(handle.offset, handle.size + 1);
    ByteReader trailer(bytes_.substr(handle.offset + handle.size + 1, sizeof(uint32_t)), source_);
    if (checksums_ == Checksums::kVerify &&
        trailer.fixed32() != masked_crc32c(std::as_bytes(std::span(with_type))))
      refuse(where + ": its checksum does not fit");
    if (with_type.back() != 0) {
      refuse(fmt::format("{}: it is compressed (type {}), which expctl does not read", where,
                         static_cast<int>(with_type.back())));
    }
    return with_type.substr(0, handle.size);
  }

  /// Entries, then where keys begin anew (for searching; not needed here), then how many such places.
  Entries read_block(const BlockHandle& handle, const std::string& where) const {
    const auto block = block_at(handle, where);
    const std::string source = fmt::format("{}: {}", source_, where);
    if (block.size() < sizeof(uint32_t)) refuse(where + ": shorter than its own count");
    const uint64_t restarts = ByteReader(block.substr(block.size() - sizeof(uint32_t)), source).fixed32();
    if ((restarts + 1) * sizeof(uint32_t) > block.size()) refuse(where + ": its counts do not fit");
    ByteReader reader(block.substr(0, block.size() - (restarts + 1) * sizeof(uint32_t)), source);
    Entries entries;
    std::string key;
    while (!reader.empty()) {
      const uint64_t shared = reader.varint(), own = reader.varint(), length = reader.varint();
      if (shared > key.size() || own > kLargestKey - shared) reader.refuse("a key of an impossible length");
      std::string next = key.substr(0, shared);
      next += reader.take(own);
      if (!entries.empty() && next <= key) reader.refuse("its keys do not rise");
      key = std::move(next);
      entries.emplace_hint(entries.end(), key, reader.take(length));
    }
    return entries;
  }

  std::string_view bytes_;
  const std::string& source_;
  Checksums checksums_;
};

}  // namespace

std::map<std::string, std::string> read_table(std::string_view bytes, const std::string& source,
                                              Checksums checksums) {
  return Table(bytes, source, checksums).read();
}

}  // namespace expctl
