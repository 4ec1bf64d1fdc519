// The fields of one Protocol Buffers message, in the order in which they were written.
//
// Source: protobuf.dev/programming-guides/encoding. Groups, which nothing new has, are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/byte_reader.h"

namespace expctl {

struct WireField {
  uint64_t number = 0;
  uint64_t value = 0;      ///< of a number; 0 for texts and messages
  std::string_view bytes;  ///< of a text or an inner message; empty for numbers
};

class WireReader {
 public:
  /// `message` must outlive the reader and its fields; `where` begins every complaint.
  WireReader(std::string_view message, std::string where) : bytes_(message, std::move(where)) {}

  /// The next field, or none at the end. Throws Error.
  std::optional<WireField> next();

 private:
  ByteReader bytes_;
};

}  // namespace expctl
