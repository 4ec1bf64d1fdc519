// Reads TensorBoard's event files back, with every checksum.
#pragma once

#include <bit>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/byte_reader.h"
#include "formats/crc32c.h"
#include "formats/wire_reader.h"

namespace expctl::test {

struct ScalarEvent {
  double time = 0;
  int64_t step = 0;
  std::string tag;
  float value = 0;
};

inline void check_sum(std::string_view bytes, uint32_t expected) {
  if (masked_crc32c(std::as_bytes(std::span(bytes))) != expected) throw Error("a wrong checksum");
}

/// The payloads of a file of records. Throws Error.
inline std::vector<std::string_view> read_records(std::string_view file) {
  std::vector<std::string_view> payloads;
  ByteReader reader(file, "event file");
  while (!reader.empty()) {
    const auto length = reader.take(8);
    check_sum(length, reader.fixed32());
    const auto payload = reader.take(ByteReader(length, "length").fixed64());
    check_sum(payload, reader.fixed32());
    payloads.push_back(payload);
  }
  return payloads;
}

/// Every simple value of the file, in its order.
inline std::vector<ScalarEvent> read_scalars(std::string_view file) {
  std::vector<ScalarEvent> found;
  for (const auto payload : read_records(file)) {
    ScalarEvent event;
    std::string_view summary;
    WireReader reader(payload, "event");
    while (const auto field = reader.next()) {
      if (field->number == 1) event.time = std::bit_cast<double>(field->value);
      if (field->number == 2) event.step = static_cast<int64_t>(field->value);
      if (field->number == 5) summary = field->bytes;
    }
    if (summary.empty()) continue;
    WireReader values(summary, "summary");
    WireReader value(values.next()->bytes, "value");
    bool is_scalar = false;
    while (const auto field = value.next()) {
      if (field->number == 1) event.tag = field->bytes;
      if (field->number != 2) continue;
      event.value = std::bit_cast<float>(static_cast<uint32_t>(field->value));
      is_scalar = true;
    }
    if (is_scalar) found.push_back(event);
  }
  return found;
}

}  // namespace expctl::test
