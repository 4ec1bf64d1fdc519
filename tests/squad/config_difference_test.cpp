#include "squad/config_difference.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/distributions.h"
#include "tests/support/simulated_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

ConfigScores recorded(const std::vector<double>& f1, int64_t first_seed = 1) {
  ConfigScores config;
  for (const double value : f1) config.push_back({first_seed++, {value}});
  return config;
}

}  // namespace

TEST_CASE("config difference: of recorded scores with the same seeds it is the paired t interval",
          "[squad]") {
  // Differences 0.5, 0.1, 0.6: mean 0.4, sd sqrt(0.07), t(2, 97.5 %) = 4.302653.
  const auto d = config_difference(recorded({90, 91, 92}), recorded({90.5, 91.1, 92.6}), one_group());
  REQUIRE(d.interval);
  CHECK(d.is_paired);
  CHECK(d.f1 == Approx(0.4));
  CHECK(d.interval->seed_sd == Approx(std::sqrt(0.07)));
  CHECK(d.interval->high - d.f1 == Approx(4.302653 * std::sqrt(0.07 / 3)).epsilon(1e-6));
  CHECK(d.f1 - d.interval->low == Approx(d.interval->high - d.f1));
  CHECK(d.interval->question_error == 0);
  // The order in which the runs are listed says nothing.
  ConfigScores turned = recorded({90.5, 91.1, 92.6});
  std::swap(turned[0], turned[2]);
  CHECK(config_difference(recorded({90, 91, 92}), turned, one_group()).interval->high ==
        Approx(d.interval->high));
}

TEST_CASE("config difference: of more seeds of one config those that both have are compared", "[squad]") {
  const auto same = config_difference(recorded({90, 91, 92}), recorded({90.5, 91.1, 92.6}), one_group());
  CHECK(same.pairs == 3);
  CHECK_FALSE(same.has_others);
  // Seeds 4 to 6 of the second say nothing of the first.
  const auto d =
      config_difference(recorded({90, 91, 92}), recorded({90.5, 91.1, 92.6, 70, 80, 99}), one_group());
  REQUIRE(d.interval);
  CHECK(d.is_paired);
  CHECK(d.pairs == 3);
  CHECK(d.has_others);
  CHECK(d.f1 == Approx(same.f1));
  CHECK(d.interval->high == Approx(same.interval->high));
  // Two of eight in common would throw most away: all count, as two samples.
  const std::vector<double> eight = {90, 91, 92, 93, 90, 91, 92, 93};
  const auto few = config_difference(recorded(eight), recorded(eight, 7), one_group());
  CHECK_FALSE(few.is_paired);
  CHECK(few.interval->degrees == Approx(14));
}

TEST_CASE("config difference: with other seeds it is Welch's interval", "[squad]") {
  const auto d = config_difference(recorded({90, 91, 92}), recorded({91, 95}, 11), one_group());
  REQUIRE(d.interval);
  CHECK_FALSE(d.is_paired);
  // Variances 1 and 8: 1/3 and 4 of the means; degrees (13/3)^2 / ((1/3)^2 / 2 + 4^2 / 1).
  CHECK(d.f1 == Approx(2));
  CHECK(d.interval->standard_error == Approx(std::sqrt(13.0 / 3)));
  CHECK(d.interval->degrees == Approx(std::pow(13.0 / 3, 2) / (1.0 / 18 + 16)));
  CHECK(d.interval->seed_sd == Approx(3));
}

TEST_CASE("config difference: the interaction of seeds and questions counts once", "[squad]") {
  // Two groups of one question each, two seeds: the difference is all interaction, +10 and -10, then the
  // other way round.
  const QuestionGroups groups = question_groups({0, 1});
  const ConfigScores first = {{1, {50, 50}}, {2, {50, 50}}};
  const ConfigScores second = {{1, {60, 40}}, {2, {40, 60}}};
  const auto d = config_difference(first, second, groups);
  REQUIRE(d.interval);
  CHECK(d.f1 == 0);
  CHECK(d.interval->standard_error == 0);  // both means are 0, of seeds and of questions
  // Questions alone: the same of every seed.
  const ConfigScores better = {{1, {60, 50}}, {2, {60, 50}}};
  const auto q = config_difference(first, better, groups);
  CHECK(q.f1 == Approx(5));
  CHECK(q.interval->standard_error == Approx(5));  // sd of 10 and 0, over the root of 2
  CHECK(q.interval->question_error == Approx(5));
  CHECK(q.interval->degrees == Approx(1));
}

TEST_CASE("config difference: with other seeds the questions count as with the same ones", "[squad]") {
  const QuestionGroups groups = question_groups({0, 1, 2});
  const ConfigScores first = {{1, {50, 70, 20}}, {2, {50, 70, 20}}};
  const ConfigScores alike = {{11, {60, 80, 30}}, {12, {60, 80, 30}}};  // 10 more in each group
  const auto none = config_difference(first, alike, groups);
  REQUIRE(none.interval);
  CHECK(none.f1 == Approx(10));
  CHECK(none.interval->standard_error == Approx(0).margin(1e-9));
  ConfigScores better = {{1, {60, 70, 40}}, {2, {60, 70, 40}}};
  const auto paired = config_difference(first, better, groups);
  for (auto& score : better) score.seed += 10;
  const auto apart = config_difference(first, better, groups);
  REQUIRE(paired.interval);
  REQUIRE(apart.interval);
  CHECK_FALSE(apart.is_paired);
  CHECK(apart.interval->standard_error == Approx(paired.interval->standard_error));
  CHECK(apart.interval->question_error == Approx(paired.interval->question_error));
}

TEST_CASE("config difference: degrees of freedom are Satterthwaite's, the questions' where seeds add nothing",
          "[squad]") {
  const VarianceParts all = {4, 3, 1, 9, 2, 18};
  CHECK(all.total() == 6);
  CHECK(all.degrees() == Approx(36 / (16.0 / 9 + 9.0 / 2 + 1.0 / 18)));
  const VarianceParts of_questions = {4, 1, 2, 9, 2, 18};
  CHECK(of_questions.total() == 4);
  CHECK(of_questions.degrees() == 9);
}

TEST_CASE("config difference: one seed gives no interval, other questions are refused", "[squad]") {
  CHECK_FALSE(config_difference(recorded({90}), recorded({91}), one_group()).interval.has_value());
  CHECK(config_difference(recorded({90}), recorded({91}), one_group()).f1 == Approx(1));
  CHECK_THROWS_WITH(seed_score(score_of({1, 0}), 1, question_groups({0})),
                    Catch::Contains("2 questions where"));
  CHECK(seed_score(score_of({0.5}), 1, one_group()).points == std::vector<double>{50});
  const auto groups = question_groups({7, 7, 9});
  CHECK(groups.sizes == std::vector<double>{2, 1});
  CHECK(seed_score(score_of({1, 0.5, 1}), 3, groups).points == std::vector<double>{150, 100});
}

TEST_CASE("config difference: 95 % of intervals of simulated sweeps hold", "[squad]") {
  // 400 sweeps, always the same ones: 95 % of them with a standard error of 1.1 %. An interval from the seeds
  // alone holds far less often, as do a percentile bootstrap's.
  constexpr int kSweeps = 400;
  SweepLaw law;
  law.paragraphs = 100;
  law.questions = 500;
  const std::vector<SimulatedConfig> configs = {{0, {1, 2, 3}, 0.8}, {0.5, {1, 2, 3}, 0.8}};
  const SweepSimulator simulator(law, configs, 0.3);
  int holds = 0, of_seeds_alone = 0;
  for (int i = 0; i < kSweeps; ++i) {
    const auto sweep = simulator.draw(static_cast<uint64_t>(i));
    const auto groups = question_groups(sweep.paragraph_of);
    std::vector<ConfigScores> scores(2);
    for (size_t c = 0; c < 2; ++c) {
      for (size_t s = 0; s < 3; ++s)
        scores[c].push_back(seed_score(score_of(sweep.f1[c][s]), configs[c].seeds[s], groups));
    }
    const auto d = config_difference(scores[0], scores[1], groups);
    holds += d.interval->low <= 0.5 && 0.5 <= d.interval->high ? 1 : 0;
    of_seeds_alone += std::abs(d.f1 - 0.5) <= 1.96 * d.interval->seed_sd / std::sqrt(3.0) ? 1 : 0;
  }
  CHECK(holds >= 0.92 * kSweeps);
  CHECK(holds <= 0.98 * kSweeps);
  CHECK(of_seeds_alone < 0.9 * kSweeps);
}

TEST_CASE("config difference: of unlike numbers of seeds the noise is known as well as of both together",
          "[squad]") {
  ConfigScores two, many;
  for (int64_t seed = 0; seed < 2; ++seed) two.push_back({seed, {seed == 0 ? 88.5 : 89.5}});
  // The same variance, 0.5.
  const double off = std::sqrt(0.5 * 9 / 10);
  for (int64_t seed = 0; seed < 10; ++seed) many.push_back({100 + seed, {90 + (seed % 2 == 0 ? off : -off)}});
  const auto difference = config_difference(two, many, one_group());
  REQUIRE(difference.interval);
  CHECK(difference.interval->seed_sd == Approx(1));
  CHECK(difference.interval->seed_degrees == Approx(4 / (1.0 + 1.0 / 9)));  // Satterthwaite
}
