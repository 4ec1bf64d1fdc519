#include "experiments/tpe.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using namespace expctl;

namespace {

const SearchSpace kSpace = {{"x", {}, ParameterRange{0, 1}}, {"k", {"a", "b", "c", "d"}}};

/// 25 points on a lattice, best at x = 0.3 of "c".
std::vector<Observation> lattice() {
  std::vector<Observation> seen;
  for (int i = 0; i < 25; ++i) {
    const double x = i / 24.0;
    const double k = i % 4;
    seen.push_back({{x, k}, -std::abs(x - 0.3) - (k == 2 ? 0 : 0.2)});
  }
  return seen;
}

}  // namespace

TEST_CASE("tpe: candidates come from the good part of the space, the best first", "[experiments]") {
  double distance = 0;
  int of_c = 0;
  constexpr int kTimes = 200;
  for (int i = 0; i < kTimes; ++i) {
    const auto points = tpe_candidates(kSpace, lattice(), CounterRandom(static_cast<uint64_t>(i)));
    REQUIRE(points.size() == 24);
    distance += std::abs(points.front()[0] - 0.3) / kTimes;
    of_c += points.front()[1] == 2 ? 1 : 0;
  }
  CHECK(distance < 0.12);      // of uniform points it is 0.29
  CHECK(of_c > 0.7 * kTimes);  // of uniform points a quarter
}

TEST_CASE("tpe: the same observations give the same candidates, in whatever scale the scores are",
          "[experiments]") {
  auto seen = lattice();
  const auto points = tpe_candidates(kSpace, seen, CounterRandom(9));
  CHECK(tpe_candidates(kSpace, seen, CounterRandom(9)) == points);
  CHECK(tpe_candidates(kSpace, seen, CounterRandom(10)) != points);
  for (auto& one : seen) one.score = 70 + std::exp(*one.score);
  CHECK(tpe_candidates(kSpace, seen, CounterRandom(9)) == points);
}

TEST_CASE("tpe: what is still at work repels", "[experiments]") {
  auto busy = lattice();
  for (const double x : {0.29, 0.3, 0.31}) busy.push_back({{x, 2}, std::nullopt});
  double free_distance = 0, busy_distance = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    free_distance += std::abs(tpe_candidates(kSpace, lattice(), CounterRandom(i)).front()[0] - 0.3);
    busy_distance += std::abs(tpe_candidates(kSpace, busy, CounterRandom(i)).front()[0] - 0.3);
  }
  CHECK(busy_distance > 1.2 * free_distance);
}

TEST_CASE("tpe: it does not matter whether what is at work came before what has a score", "[experiments]") {
  const auto scored = lattice();
  const std::vector<Observation> busy = {{{0.3, 2}, std::nullopt}, {{0.1, 1}, std::nullopt}};
  auto first = busy, last = scored, between = scored;
  first.insert(first.end(), scored.begin(), scored.end());
  last.insert(last.end(), busy.begin(), busy.end());
  between.insert(between.begin() + 7, busy.begin(), busy.end());
  const auto points = tpe_candidates(kSpace, last, CounterRandom(3));
  CHECK(tpe_candidates(kSpace, first, CounterRandom(3)) == points);
  CHECK(tpe_candidates(kSpace, between, CounterRandom(3)) == points);
}

TEST_CASE("tpe: a single observation is enough, and points at one place too", "[experiments]") {
  CHECK(tpe_candidates(kSpace, {{{0.5, 1}, 1.0}}, CounterRandom(1)).size() == 24);
  const std::vector<Observation> same(30, Observation{{0.0, 3}, 50.0});
  for (const auto& point : tpe_candidates(kSpace, same, CounterRandom(1))) {
    CHECK(point[0] >= 0);
    CHECK(point[0] <= 1);
  }
}
