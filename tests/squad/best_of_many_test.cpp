#include "squad/best_of_many.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/counter_random.h"
#include "core/distributions.h"

using namespace expctl;

namespace {

std::vector<ConfigScores> drawn(const std::vector<double>& means, size_t seeds, double sd,
                                CounterRandom& random) {
  std::vector<ConfigScores> configs;
  for (const double mean : means) {
    auto& config = configs.emplace_back();
    for (size_t s = 0; s < seeds; ++s)
      config.push_back({static_cast<int64_t>(s), {mean + sd * random.normal()}});
  }
  return configs;
}

}  // namespace

TEST_CASE("gaps to the best: what is far behind cannot be the best, what is near can", "[squad]") {
  const std::vector<ConfigScores> configs = {{{1, {90.0}}, {2, {90.2}}, {3, {90.1}}},
                                             {{1, {90.1}}, {2, {90.1}}, {3, {89.9}}},
                                             {{1, {80.0}}, {2, {80.2}}, {3, {80.3}}}};
  const auto gaps = gaps_to_best(configs, one_group());
  REQUIRE(gaps.size() == 3);
  CHECK(gaps[0].may_be_best);
  CHECK(gaps[1].may_be_best);
  CHECK_FALSE(gaps[2].may_be_best);
  CHECK(gaps[2].high == 0);
  CHECK(gaps[2].low < -9.5);
  CHECK(gaps[0].low < 0);
  CHECK(gaps[0].high > 0);
  CHECK(gaps_to_best({configs[0], configs[2]}, one_group())[0].low == 0);  // no other may be
  CHECK(gaps_to_best({configs[0]}, one_group()).empty());
  CHECK(gaps_to_best({}, one_group()).empty());
  CHECK(gaps_to_best({{{1, {90.0}}}, {{1, {80.0}}}}, one_group()).empty());
}

TEST_CASE("gaps to the best: the order of the configs says nothing", "[squad]") {
  CounterRandom random(4);
  auto configs = drawn({90, 89.8, 89.5, 87}, 3, 0.3, random);
  const auto gaps = gaps_to_best(configs, one_group());
  std::reverse(configs.begin(), configs.end());
  auto turned = gaps_to_best(configs, one_group());
  std::reverse(turned.begin(), turned.end());
  REQUIRE(turned.size() == gaps.size());
  for (size_t i = 0; i < gaps.size(); ++i) {
    CHECK(turned[i].low == Approx(gaps[i].low));
    CHECK(turned[i].high == Approx(gaps[i].high));
    CHECK(turned[i].may_be_best == gaps[i].may_be_best);
  }
}

TEST_CASE("gaps to the best: of equal ones without any spread each may be the best", "[squad]") {
  const ConfigScores same = {{1, {80.0}}, {2, {80.0}}};
  const auto gaps = gaps_to_best({same, same, {{1, {70.0}}, {2, {70.0}}}}, one_group());
  REQUIRE(gaps.size() == 3);
  CHECK(gaps[0].may_be_best);
  CHECK(gaps[1].may_be_best);
  CHECK_FALSE(gaps[2].may_be_best);
  CHECK(gaps[2].low == Approx(-10));
}

TEST_CASE("gaps to the best: of two configs with the same seeds the bounds are the one-sided paired t's",
          "[squad]") {
  const std::vector<ConfigScores> configs = {{{1, {90.5}}, {2, {91.1}}, {3, {92.6}}},
                                             {{1, {90.0}}, {2, {91.0}}, {3, {92.0}}}};
  const auto gaps = gaps_to_best(configs, one_group());
  const double half = 2.919986 * std::sqrt(0.07 / 3);  // t(2, 95 %), differences 0.5, 0.1, 0.6
  CHECK(gaps[0].high == Approx(0.4 + half).margin(1e-6));
  CHECK(gaps[0].low == Approx(0.4 - half).margin(1e-6));
  CHECK(gaps[1].low == Approx(-0.4 - half).margin(1e-6));
}

TEST_CASE("noise of seeds: of two paired configs their differences', of all the others' too", "[squad]") {
  const std::vector<ConfigScores> configs = {{{1, {90.5}}, {2, {91.1}}, {3, {92.6}}},
                                             {{1, {90.0}}, {2, {91.0}}, {3, {92.0}}}};
  const auto of_two = seed_noise(configs, {}, one_group());
  REQUIRE(of_two);
  CHECK(of_two->sd == Approx(std::sqrt(0.07)));  // differences 0.5, 0.1, 0.6
  CHECK(of_two->degrees == 2);
  const auto own = config_difference(configs[0], configs[1], one_group());
  REQUIRE(own.interval);
  CHECK(own.interval->seed_sd == Approx(of_two->sd));
  CHECK(own.interval->seed_degrees == of_two->degrees);
  CounterRandom random(5);
  auto many = drawn(std::vector<double>(200, 88), 4, 0.5, random);
  std::vector<GapToBest> gaps(many.size());
  many[7][1].points[0] = 13;  // one that has failed, and cannot be the best
  gaps[7].may_be_best = false;
  const auto pooled = seed_noise(many, gaps, one_group());
  REQUIRE(pooled);
  CHECK(pooled->sd == Approx(0.5 * std::sqrt(2)).epsilon(0.1));
  CHECK(pooled->degrees == 3 * 198);
  CHECK_FALSE(seed_noise({{{1, {90.0}}}, {{1, {80.0}}}}, {}, one_group()));
  CHECK_FALSE(seed_noise({}, {}, one_group()));
}

TEST_CASE("noise of seeds: what a seed does to all stays off where the best have got more", "[squad]") {
  CounterRandom random(6);
  std::vector<ConfigScores> configs(40);
  for (int64_t seed = 0; seed < 8; ++seed) {
    const double common = 2 * random.normal();
    for (size_t c = 0; c < configs.size(); ++c) {
      if (seed < 3 || c < 2) configs[c].push_back({seed, {88 + common + 0.5 * random.normal()}});
    }
  }
  const auto noise = seed_noise(configs, std::vector<GapToBest>(configs.size()), one_group());
  REQUIRE(noise);
  CHECK(noise->degrees == 2 * 39);
  CHECK(noise->sd == Approx(0.5 * std::sqrt(2)).epsilon(0.25));
}

TEST_CASE("gaps to the best: all intervals hold at once in 95 % of simulated sweeps or more", "[squad]") {
  constexpr int kSweeps = 500;
  const std::vector<double> means = {0.5, 0.3, 0, 0, 0, -2};
  CounterRandom random(1);
  int hold = 0;
  for (int i = 0; i < kSweeps; ++i) {
    const auto gaps = gaps_to_best(drawn(means, 3, 0.3, random), one_group());
    bool all = true;
    for (size_t c = 0; c < means.size(); ++c) {
      double others = -9;
      for (size_t other = 0; other < means.size(); ++other) {
        if (other != c) others = std::max(others, means[other]);
      }
      all = all && gaps[c].low <= means[c] - others && means[c] - others <= gaps[c].high;
    }
    hold += all ? 1 : 0;
  }
  CHECK(hold >= 0.93 * kSweeps);
  CHECK(hold < kSweeps);  // wide enough for everything would say nothing
}

TEST_CASE("optimism: the best looks as much better than it is as is said", "[squad]") {
  // True values alike, spread as widely as the noise, and half of them without a chance. The tolerance is a
  // quarter of the noise; the best of all is the expected maximum where all are alike.
  struct Law {
    size_t runs;
    double spread, behind;
  };
  for (const Law law : {Law{24, 0, 0}, Law{6, 0, 0}, Law{24, 1, 0}, Law{24, 0, 10}, Law{100, 0.5, 0}}) {
    CounterRandom random(7);
    double looked = 0, said = 0;
    constexpr int kSweeps = 200;
    for (int i = 0; i < kSweeps; ++i) {
      std::vector<double> truth, score;
      for (size_t r = 0; r < law.runs; ++r) {
        truth.push_back(88 + law.spread * random.normal() - (r % 2 == 0 ? law.behind : 0));
        score.push_back(truth.back() + random.normal());
      }
      const auto best = static_cast<size_t>(std::max_element(score.begin(), score.end()) - score.begin());
      looked += (score[best] - truth[best]) / kSweeps;
      said += selection_optimism(score, 1, 300, static_cast<uint64_t>(i)) / kSweeps;
    }
    INFO(law.runs << " runs, spread " << law.spread << ", half behind by " << law.behind);
    CHECK(said == Approx(looked).margin(0.25));
  }
  CHECK(selection_optimism({88}, 1) == 0);
  CHECK(selection_optimism({88, 87}, 0) == 0);
  CHECK(selection_optimism(std::vector<double>(24, 88), 0.5) ==
        Approx(0.5 * expected_maximum(24)).margin(0.03));
}

TEST_CASE("noise of questions: what groups have in common is none, what they have of their own is",
          "[squad]") {
  // 400 groups of one question; each run's points are the group's level plus noise of sd 20: 1 point of the
  // mean.
  CounterRandom random(3);
  QuestionGroups groups;
  for (size_t g = 0; g < 400; ++g) groups.group_of.push_back(g);
  groups = question_groups(groups.group_of);
  std::vector<SeedScore> runs(10);
  for (size_t g = 0; g < 400; ++g) {
    const double level = 80 + 40 * random.normal();
    for (auto& run : runs) run.points.push_back(level + 20 * random.normal());
  }
  CHECK(question_noise_sd(runs, groups) == Approx(1).margin(0.07));
  CHECK(question_noise_sd({runs[0]}, groups) == 0);
}
