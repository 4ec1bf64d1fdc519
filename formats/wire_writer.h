// One Protocol Buffers message, field after field in the order of the calls.
//
// Source: protobuf.dev/programming-guides/encoding. WireReader reads what this writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace expctl {

class WireWriter {
 public:
  WireWriter& number(uint64_t field, uint64_t value);  ///< int64, bool and enum; negative ones as uint64_t
  WireWriter& real(uint64_t field, double value);
  WireWriter& real32(uint64_t field, float value);
  WireWriter& bytes(uint64_t field, std::string_view value);  ///< a text, or an inner message
  WireWriter& message(uint64_t field, const WireWriter& inner) { return bytes(field, inner.bytes_); }

  const std::string& written() const { return bytes_; }

 private:
  void varint(uint64_t value);
  void key(uint64_t field, uint64_t wire_type) { varint(field << 3 | wire_type); }

  std::string bytes_;
};

/// Little-endian, whatever the machine.
void append_fixed32(std::string& bytes, uint32_t value);
void append_fixed64(std::string& bytes, uint64_t value);

}  // namespace expctl
