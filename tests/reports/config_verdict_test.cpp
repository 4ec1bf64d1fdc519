#include "reports/config_verdict.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/distributions.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

RunRecord run(const std::string& id, const std::string& config, int64_t seed, std::optional<double> f1,
              const std::string& data = "d") {
  RunSpec spec;
  spec.dev_data.sha256 = data;
  RunRecord record;
  record.id = id;
  record.config_hash = config;
  record.seed = seed;
  record.f1 = f1;
  record.spec = to_json(spec);
  return record;
}

/// Two configs of the seeds 1 to 3, whose differences are 0.5, 0.1 and 0.6.
std::vector<RunRecord> two_configs() {
  return {run("run1", "a", 1, 90.0), run("run2", "b", 1, 90.5), run("run3", "a", 2, 91.0),
          run("run4", "b", 2, 91.1), run("run5", "a", 3, 92.0), run("run6", "b", 3, 92.6)};
}

ConfigDifference difference_of(double f1, double seed_sd, double degrees, double question_error) {
  ConfigDifference difference;
  difference.f1 = f1;
  difference.interval = ConfigDifference::Interval{};
  difference.interval->low = f1 - 1;
  difference.interval->high = f1 + 1;
  difference.interval->seed_sd = seed_sd;
  difference.interval->seed_degrees = degrees;
  difference.interval->question_error = question_error;
  return difference;
}

}  // namespace

TEST_CASE("config verdict: gaps are between configs of the same data, others have none", "[reports]") {
  auto runs = two_configs();
  runs.push_back(run("run7", "elsewhere", 1, 85.0, "other data"));
  runs.push_back(run("run8", "unscored", 1, {}));
  runs.push_back(run("run9", "b", 4, {}));
  const auto configs = config_stats(runs);
  const auto gaps = recorded_gaps(configs, runs);
  REQUIRE(gaps.size() == 4);
  REQUIRE(gaps[0]);
  REQUIRE(gaps[1]);
  CHECK_FALSE(gaps[2]);
  CHECK_FALSE(gaps[3]);
  const double half = 2.919986 * std::sqrt(0.07 / 3);  // t(2, 95 %)
  CHECK(gaps[0]->high == Approx(0.4 + half).margin(1e-6));
  CHECK(gaps[1]->low == Approx(-0.4 - half).margin(1e-6));
  const auto noise = recorded_noise(configs, runs, gaps);
  REQUIRE(noise);
  CHECK(noise->sd == Approx(std::sqrt(0.07)));
  CHECK(noise->degrees == 2);
  CHECK(recorded_gaps({}, {}).empty());
}

TEST_CASE("config verdict: the noise of seeds is of the configs that may be the best", "[reports]") {
  const double f1[][3] = {{90, 91, 92.6}, {90.9, 90.8, 92.5}, {90.2, 91.6, 92.1}, {50, 51, 52}};
  std::vector<RunRecord> runs;
  for (size_t config = 0; config < 4; ++config) {
    for (size_t seed = 0; seed < 3; ++seed)
      runs.push_back(run("run" + std::to_string(runs.size() + 1), std::string(1, "abcd"[config]),
                         static_cast<int64_t>(seed), f1[config][seed]));
  }
  const auto configs = config_stats(runs);
  const auto gaps = recorded_gaps(configs, runs);
  const auto noise = recorded_noise(configs, runs, gaps);
  REQUIRE(noise);
  CHECK_FALSE(gaps[3]->may_be_best);
  CHECK(noise->degrees == 2 * 2);  // (seeds - 1) (configs - 1) of three
}

TEST_CASE("config verdict: gaps and differences as sentences", "[reports]") {
  CHECK(gap_text({-0.4121, 0, true}) == "-0.412 to 0");
  CHECK(gap_text({0, 0.25, true}) == "0 to +0.250");
  CHECK(contenders_text({{-1, 1, true}, {-2, 0, false}, {-1, 1, true}}, "seeds and articles") ==
        "2 of 3 configs may still be the best (95 % confidence for all statements together, over seeds and "
        "articles).");
  CHECK(contenders_text({}, "seeds").empty());
  ConfigDifference difference;
  difference.f1 = 0.21;
  CHECK(difference_text("run4", "run7", difference) ==
        "run7 - run4: F1 +0.2100; no interval: each config needs two seeds or more");
  CHECK(interval_json(difference).is_null());
  difference = difference_of(0.21, 1, 2, 0);
  CHECK(difference_text("run4", "run7", difference, "articles") ==
        "run7 - run4: F1 +0.2100, 95 % interval over seeds and articles -0.7900 to +1.2100");
  difference.is_paired = true;
  difference.pairs = 3;
  CHECK_THAT(difference_text("run4", "run7", difference), Contains("over seeds, which are the same, and"));
  difference.has_others = true;
  CHECK_THAT(difference_text("run4", "run7", difference), Contains("over seeds, the 3 that both have, and"));
}

TEST_CASE("config verdict: the best run stands above its config by what luck gives the best of so many",
          "[reports]") {
  const auto looks = best_looks(two_configs(), 0.3);
  REQUIRE(looks);
  CHECK(looks->id == "run6");
  CHECK(looks->f1 == 92.6);
  CHECK(looks->runs == 6);
  CHECK(looks->seeds == 3);
  CHECK(looks->above_mean == Approx(92.6 - 91.4));
  // sd of 90.5, 91.1 and 92.6 times the expected maximum of three normal values, 3 / (2 sqrt(pi)).
  CHECK(looks->by_chance == Approx(std::sqrt((0.81 + 0.09 + 1.44) / 2) * 1.5 / std::sqrt(M_PI)));
  CHECK(looks->optimism > 0);
  CHECK_THAT(best_looks_text(*looks),
             Contains("The best of 6 runs, run6, looks 0.") && Contains("above the mean of its config's 3"));
  auto steadier = two_configs();  // a config whose mean is higher, and none of whose runs is the best
  for (const int64_t seed : {1, 2})
    steadier.push_back(run("run" + std::to_string(6 + seed), "c", seed, 92.1));
  const auto same = best_looks(steadier, 0.3);
  REQUIRE(same);
  CHECK(same->runs == 8);
  CHECK(same->seeds == 3);
  CHECK(same->above_mean == Approx(92.6 - 91.4));
  const auto alone =
      best_looks({run("run1", "a", 1, 90.0), run("run2", "b", 1, 91.0), run("run3", "b", 2, {})}, 0.3);
  REQUIRE(alone);
  CHECK(alone->runs == 2);
  CHECK(alone->seeds == 1);
  CHECK(alone->above_mean == 0);
  CHECK_THAT(best_looks_text(*alone), !Contains("above the mean"));
  CHECK_FALSE(best_looks({run("run1", "a", 1, 90.0), run("run2", "a", 2, {})}, 0.3));
}

TEST_CASE("config verdict: the seeds that a difference needs are those of the paired t-test", "[reports]") {
  // Known sizes, of a power of 80 % in a two-sided test at 5 %: 34 pairs where the difference is half a
  // standard deviation, 10 where it is one.
  const auto difference = difference_of(-0.5, 1, 4, 0.2);
  const auto found = seed_plan(difference, 0), wished = seed_plan(difference, 1);
  REQUIRE(found);
  REQUIRE(wished);
  CHECK(found->difference == 0.5);
  CHECK(found->seeds == 34);
  CHECK(wished->difference == 1);
  CHECK(wished->seeds == 10);
  CHECK(wished->seeds_at_most == values_needed(1, sd_upper_limit(1, 4), 0.8));
  CHECK(*wished->seeds_at_most > 30);
  CHECK(wished->least_shown == Approx((1.959964 + 0.841621) * 0.2));
  // What is known of more configs counts instead.
  CHECK(seed_plan(difference, 0.5, SeedNoise{0.5, 100})->seeds == 10);
  CHECK_FALSE(seed_plan(difference, 0.5, SeedNoise{0, 100}));
  CHECK_FALSE(seed_plan(difference_of(1, 0, 4, 0.2), 0));  // seeds that are all alike
  CHECK_FALSE(seed_plan(ConfigDifference{}, 1));
  CHECK_FALSE(seed_plan(difference_of(0, 1, 4, 0), 0)->seeds);  // none is enough to show nothing
}

TEST_CASE("config verdict: a plan as a sentence says what is not sure, and what seeds cannot show",
          "[reports]") {
  const std::string head =
      "To find a difference of 0.50 on these questions (80 % power, two-sided 5 %): 34 seeds of each, the "
      "same "
      "for both";
  SeedPlan plan = {0.5, 1, 34, 34, 0.004};
  CHECK(seed_plan_text(plan) == head + ".");
  plan.seeds_at_most = 120;
  CHECK(seed_plan_text(plan) == head + " (up to 120, by a 90 % limit of how much seeds vary).");
  plan.seeds_at_most.reset();
  plan.least_shown = 0.005;
  CHECK_THAT(seed_plan_text(plan), Contains("(up to more than 10,000, by") &&
                                       Contains("A difference below 0.01 cannot be shown for new questions"));
  CHECK(seed_plan_json(plan)["seeds"] == 34);
  CHECK(seed_plan_json(plan)["seeds_at_most"].is_null());
}
