#include "squad/paired_bootstrap.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using namespace expctl;

namespace {

Score score_of(const std::vector<double>& f1) {
  Score score;
  for (size_t i = 0; i < f1.size(); ++i)
    score.questions.push_back({"q" + std::to_string(i), f1[i] == 1, f1[i], true});
  return score;
}

}  // namespace

TEST_CASE("paired difference: mean, questions won and lost", "[squad]") {
  const auto d = paired_difference(score_of({0, 1, 0.5, 0.25}), score_of({1, 1, 0, 0.75}));
  CHECK(d.f1 == Approx(25));
  CHECK(d.won == 2);
  CHECK(d.lost == 1);
  CHECK(d.alike == 1);
  CHECK(d.low <= d.f1);
  CHECK(d.high >= d.f1);
  const auto same = paired_difference(score_of({0, 1}), score_of({0, 1}));
  CHECK(same.low == 0);
  CHECK(same.high == 0);
}

TEST_CASE("paired difference: the interval is that of the normal law where there are many questions",
          "[squad]") {
  // Gains of +100 and -100 points in a known part of 4,000 questions: the standard error is sqrt(p - m^2) /
  // sqrt(n).
  std::vector<double> a, b;
  for (int i = 0; i < 4000; ++i) {
    a.push_back(i % 10 == 0 ? 1 : 0);
    b.push_back(i % 10 < 2 && i % 10 != 0 ? 1 : i % 20 == 0 ? 1 : 0);
  }
  const auto d = paired_difference(score_of(a), score_of(b));
  double mean = 0, square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    mean += 100 * (b[i] - a[i]) / 4000;
    square += 10000 * (b[i] - a[i]) * (b[i] - a[i]) / 4000;
  }
  const double half = 1.959964 * std::sqrt((square - mean * mean) / 4000);
  CHECK(d.f1 == Approx(mean));
  CHECK(d.low == Approx(mean - half).margin(0.06 * half));  // 2,000 samples: some 4 % of the half width
  CHECK(d.high == Approx(mean + half).margin(0.06 * half));
}

TEST_CASE("paired difference: of groups that gain together the interval is that of the groups' means",
          "[squad]") {
  // 200 groups of 20 questions, alike within a group: as 200 draws, not as 4,000.
  std::vector<double> a(4000, 0), b;
  std::vector<size_t> groups;
  for (size_t i = 0; i < 4000; ++i) {
    groups.push_back(i / 20);
    b.push_back(i / 20 % 4 == 0 ? 1 : 0);
  }
  const auto d = paired_difference(score_of(a), score_of(b), groups);
  const double half = 1.959964 * 100 * std::sqrt(0.25 * 0.75 / 200);
  CHECK(d.f1 == Approx(25));
  CHECK(d.low == Approx(25 - half).margin(0.15 * half));
  CHECK(d.high == Approx(25 + half).margin(0.15 * half));
  const auto apart = paired_difference(score_of(a), score_of(b));
  CHECK(apart.high - apart.low < (d.high - d.low) / 3);
}

TEST_CASE("paired difference: of groups of many sizes the mean is over questions", "[squad]") {
  const auto d = paired_difference(score_of({0, 0, 0, 0}), score_of({1, 0, 0, 0}), {0, 1, 1, 1});
  CHECK(d.f1 == 25);
  CHECK(d.low == 0);     // the second group alone
  CHECK(d.high == 100);  // the first one alone
}

TEST_CASE(
    "paired difference: of few questions the interval is wider, by Student's t and the bootstrap's variance",
    "[squad]") {
  // k of n won: a sample's mean has the binomial's probabilities. The tail is that of the normal law below
  // -sqrt(n / (n - 1)) t(n - 1, 97.5 %).
  constexpr int kSamples = 100'000;
  // Of 5: 0.00095; 4 won: the mean is 0 with 0.00032, up to 20 with 0.0067.
  const Score none = score_of({0, 0, 0, 0, 0}), four = score_of({1, 1, 0, 1, 1});
  const auto won = paired_difference(none, four, {}, kSamples);
  CHECK(won.low == Approx(20));
  CHECK(won.high == Approx(100));
  const auto lost = paired_difference(four, none, {}, kSamples);
  CHECK(lost.low == Approx(-100));
  CHECK(lost.high == Approx(-20));
  // Of 10: 0.0086, by t alone 0.0119; 5 won: the mean is up to 10 with 0.0107.
  std::vector<double> half(10, 0);
  std::fill_n(half.begin(), 5, 1);
  const auto even = paired_difference(score_of(std::vector<double>(10, 0)), score_of(half), {}, kSamples);
  CHECK(even.low == Approx(10));
  CHECK(even.high == Approx(90));
}

TEST_CASE("paired difference: other questions are refused", "[squad]") {
  CHECK_THROWS_WITH(paired_difference(score_of({1}), score_of({1, 0})),
                    Catch::Contains("different questions"));
  auto other = score_of({1});
  other.questions[0].id = "x";
  CHECK_THROWS_WITH(paired_difference(score_of({1}), other), Catch::Contains("different questions"));
}
