#include "formats/wire_reader.h"

#include <fmt/core.h>

namespace expctl {

std::optional<WireField> WireReader::next() {
  if (bytes_.empty()) return std::nullopt;
  const uint64_t tag = bytes_.varint();
  WireField field;
  field.number = tag >> 3;
  switch (tag & 7) {
    case 0:
      field.value = bytes_.varint();
      break;
    case 1:
      field.value = bytes_.fixed64();
      break;
    case 2:
      field.bytes = bytes_.take(bytes_.varint());
      break;
    case 5:
      field.value = bytes_.fixed32();
      break;
    default:
      bytes_.refuse(fmt::format("field {} has the unknown wire type {}", field.number, tag & 7));
  }
  return field;
}

}  // namespace expctl
