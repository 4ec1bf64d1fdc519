#include "formats/event_file.h"

#include <fmt/core.h>

#include <cmath>

#include "tests/support/event_reader.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;

namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

// The expected bytes are those of TensorBoard 2.21's own RecordWriter and message classes.
TEST_CASE("event_file: records have TensorBoard's bytes", "[formats]") {
  CHECK(hex(version_record(1.5)) ==
        "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  CHECK(hex(scalar_record({1.5, 300}, "loss", 0.25)) ==
        "1b000000000000001a0d9e1309000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e9908deed");
  CHECK(hex(text_record({2, 0}, "parameters", "*x*")) ==
        "3200000000000000241956ec0900000000000000402a270a250a0a706172616d6574657273420d080712041202080142032a"
        "782a"
        "4a080a060a04746578747f9d6af2");
}

TEST_CASE("event_file: a row of the HParams table has TensorBoard's bytes", "[formats]") {
  CHECK(hex(parameters_record(2, {{"lr", 0.5}}, "g")) ==
        "6100000000000000008f90640900000000000000402a560a540a1c5f68706172616d735f2f73657373696f6e5f7374617274"
        "5f69"
        "6e666f42060801120212004a2c0a2a0a0768706172616d73121f1a1d0a0f0a026c72120911000000000000e03f2201672900"
        "0000"
        "0000000040569ef07c");
  CHECK(hex(session_end_record(3, SessionEnd::kSucceeded)) ==
        "4d000000000000003d63d4a60900000000000008402a420a400a1a5f68706172616d735f2f73657373696f6e5f656e645f69"
        "6e66"
        "6f42060801120212004a1a0a180a0768706172616d73120d220b080111000000000000084025c8b8f3");
}

TEST_CASE("event_file: what is written is read back, NaN and infinity too", "[formats]") {
  const std::string file = version_record(1) + scalar_record({2, 0}, "a", INFINITY) +
                           scalar_record({3, int64_t{1} << 40}, "b/c d", NAN) +
                           scalar_record({4, 7}, "a", -1e300);
  const auto points = read_scalars(file);
  REQUIRE(points.size() == 3);
  CHECK(points[0].value == INFINITY);
  CHECK(points[1].tag == "b/c d");
  CHECK(points[1].step == int64_t{1} << 40);
  CHECK(points[1].time == 3);
  CHECK(std::isnan(points[1].value));
  CHECK(points[2].value == -INFINITY);  // beyond single precision
}

TEST_CASE("event_file: the reader of these tests finds a wrong byte", "[formats]") {
  std::string file = scalar_record({2, 1}, "a", 1);
  file[20] ^= 1;
  CHECK_THROWS_WITH(read_scalars(file), Catch::Contains("checksum"));
}
