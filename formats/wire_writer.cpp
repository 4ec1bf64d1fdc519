#include "formats/wire_writer.h"

#include <bit>

namespace expctl {
namespace {

constexpr uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

}  // namespace

void append_fixed32(std::string& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
}

void append_fixed64(std::string& bytes, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(value >> shift);
}

void WireWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

WireWriter& WireWriter::number(uint64_t field, uint64_t value) {
  key(field, kVarint);
  varint(value);
  return *this;
}

WireWriter& WireWriter::real(uint64_t field, double value) {
  key(field, kFixed64);
  append_fixed64(bytes_, std::bit_cast<uint64_t>(value));
  return *this;
}

WireWriter& WireWriter::real32(uint64_t field, float value) {
  key(field, kFixed32);
  append_fixed32(bytes_, std::bit_cast<uint32_t>(value));
  return *this;
}

WireWriter& WireWriter::bytes(uint64_t field, std::string_view value) {
  key(field, kBytes);
  varint(value.size());
  bytes_ += value;
  return *this;
}

}  // namespace expctl
