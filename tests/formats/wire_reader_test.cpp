#include "formats/wire_reader.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

TEST_CASE("wire_reader: numbers and messages in their order", "[formats]") {
  const std::string message(
      "\x08\x96\x01\x12\x03"
      "abc\x1d\x01\x02\x03\x04\x21\x01\0\0\0\0\0\0\x80",
      22);
  WireReader reader(message, "m");
  auto field = reader.next();
  CHECK(field->number == 1);
  CHECK(field->value == 150);
  field = reader.next();
  CHECK(field->number == 2);
  CHECK(field->bytes == "abc");
  CHECK(reader.next()->value == 0x04030201);
  CHECK(reader.next()->value == 0x8000000000000001);
  CHECK_FALSE(reader.next());
}

TEST_CASE("wire_reader: what is cut short, endless or unknown is an Error that says of what", "[formats]") {
  const auto refusal = [](const std::string& message) {
    WireReader reader(message, "entry 'x'");
    try {
      while (reader.next()) {
      }
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refusal("\x08") == "entry 'x': 1 bytes wanted where 0 are left");
  CHECK(refusal("\x12\x05"
                "abc") == "entry 'x': 5 bytes wanted where 3 are left");
  CHECK(refusal("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") ==
        "entry 'x': 18446744073709551615 bytes wanted where 0 are left");
  CHECK(refusal("\x08" + std::string(11, '\xff')) == "entry 'x': a number that does not end");
  CHECK(refusal("\x0b") == "entry 'x': field 1 has the unknown wire type 3");
}
