#include "core/counter_random.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace expctl;

TEST_CASE("counter_random: SplitMix64's published first values for seed 0", "[core]") {
  // The generator adds the golden gamma before each output; mix64 does the same to its argument.
  CHECK(mix64(0) == 0xe220a8397b1dcdafULL);
  CHECK(mix64(0x9e3779b97f4a7c15ULL) == 0x6e789e6aa1b965f4ULL);
}

TEST_CASE("counter_random: the same key gives the same values, another key others", "[core]") {
  CounterRandom a(7), b(7), c(8);
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.next();
    CHECK(value == b.next());
    CHECK(value != c.next());
  }
}

TEST_CASE("counter_random: uniform and normal values have the right moments", "[core]") {
  CounterRandom random(1);
  constexpr int kCount = 200000;
  double sum = 0, squares = 0, uniform_sum = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    uniform_sum += random.uniform();
    REQUIRE(random.below(10) < 10);
  }
  CHECK(std::abs(sum / kCount) < 0.01);
  CHECK(std::abs(squares / kCount - 1) < 0.02);
  CHECK(std::abs(uniform_sum / kCount - 0.5) < 0.005);
}
