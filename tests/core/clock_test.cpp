#include "core/clock.h"

#include <catch2/catch.hpp>
#include <regex>

using namespace expctl;

TEST_CASE("clock: a time as people read it, and no time", "[core]") {
  CHECK(local_time_text(0) == "-");
  CHECK(std::regex_match(local_time_text(1780299000), std::regex("2026-0[56]-[0-9]{2} [0-9:]{8}")));
}
