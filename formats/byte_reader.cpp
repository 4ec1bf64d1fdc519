#include "formats/byte_reader.h"

#include <fmt/core.h>

#include "core/error.h"

namespace expctl {
namespace {

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

}  // namespace

void ByteReader::refuse(const std::string& why) const {
  throw Error(fmt::format("{}: {}", where_, why), "the file may be damaged; copy it again");
}

uint64_t ByteReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1).front());
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number that does not end");
}

uint32_t ByteReader::fixed32() {
  return static_cast<uint32_t>(little_endian(take(4)));
}

uint64_t ByteReader::fixed64() {
  return little_endian(take(8));
}

std::string_view ByteReader::take(uint64_t count) {
  if (count > rest_.size()) refuse(fmt::format("{} bytes wanted where {} are left", count, rest_.size()));
  const auto taken = rest_.substr(0, static_cast<size_t>(count));
  rest_.remove_prefix(taken.size());
  return taken;
}

}  // namespace expctl
