#include "formats/wire_writer.h"

#include "formats/wire_reader.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("wire_writer: the bytes of the encoding's own examples", "[formats]") {
  // protobuf.dev/programming-guides/encoding: 150 as field 1, "testing" as field 2, and Test1 in field 3.
  CHECK(WireWriter().number(1, 150).written() == "\x08\x96\x01");
  CHECK(WireWriter().bytes(2, "testing").written() == "\x12\x07testing");
  WireWriter inner;
  inner.number(1, 150);
  CHECK(WireWriter().message(3, inner).written() == "\x1a\x03\x08\x96\x01");
}

TEST_CASE("wire_writer: every kind of number is read back", "[formats]") {
  WireWriter writer;
  writer.number(1, 0).number(2, ~uint64_t{0}).real(3, -2.0).real32(100, 0.25F);
  WireReader reader(writer.written(), "m");
  CHECK(reader.next()->value == 0);
  CHECK(reader.next()->value == ~uint64_t{0});
  CHECK(reader.next()->value == 0xc000000000000000);
  const auto last = reader.next();
  CHECK(last->number == 100);
  CHECK(last->value == 0x3e800000);
  CHECK_FALSE(reader.next());
}
