#include "experiments/halving.h"

#include <catch2/catch.hpp>

#include "core/counter_random.h"
#include "core/error.h"

using namespace expctl;

namespace {

std::vector<RungReport> reports_of(const std::vector<double>& scores) {
  std::vector<RungReport> reports;
  for (size_t i = 0; i < scores.size(); ++i)
    reports.push_back({"run" + std::to_string(i + 1), 0, 40, scores[i]});
  return reports;
}

std::vector<RungDecision> decide_all(const std::vector<RungReport>& reports, int64_t reduction) {
  Halving halving;
  std::vector<RungDecision> decisions;
  for (const auto& report : reports) decisions.push_back(halving.decide(report, reduction));
  return decisions;
}

std::vector<bool> who_goes_on(const std::vector<double>& scores, int64_t reduction) {
  std::vector<bool> on;
  for (const auto& decision : decide_all(reports_of(scores), reduction)) on.push_back(decision.goes_on);
  return on;
}

}  // namespace

TEST_CASE("a run goes on where it is among the best third of those seen so far, and the first always does") {
  CHECK(who_goes_on({50}, 3) == std::vector<bool>{true});
  CHECK(who_goes_on({50, 40, 60}, 3) == std::vector<bool>{true, false, true});
  // The sixth is second of six, which is among the best two.
  CHECK(who_goes_on({60, 50, 40, 30, 20, 55}, 3) ==
        std::vector<bool>{true, false, false, false, false, true});
  CHECK(who_goes_on({60, 50, 40, 30, 55}, 3) == std::vector<bool>{true, false, false, false, false});
  CHECK(who_goes_on({60, 50, 40, 55}, 2) == std::vector<bool>{true, false, false, true});
  CHECK(who_goes_on({50, 50, 50}, 2) == std::vector<bool>{true, false, false});  // the earlier is the better
}

TEST_CASE("rungs do not mix") {
  Halving halving;
  CHECK(halving.decide({"run1", 0, 10, 90}, 3).goes_on);
  CHECK(halving.decide({"run2", 1, 30, 10}, 3).goes_on);
  CHECK_FALSE(halving.decide({"run2", 0, 10, 10}, 3).goes_on);
}

TEST_CASE("a run that comes to a rung again is told what was decided, and counts once") {
  Halving halving;
  CHECK(halving.decide({"run1", 0, 10, 50}, 3).goes_on);
  const auto pruned = halving.decide({"run2", 0, 10, 40}, 3);
  CHECK_FALSE(pruned.goes_on);
  CHECK(halving.decide({"run2", 0, 10, 99}, 3) == pruned);
  CHECK(halving.decide({"run3", 0, 10, 45}, 3).seen == 3);
}

TEST_CASE("what was recorded decides the rest as if nothing had come between") {
  CounterRandom random(7);
  std::vector<RungReport> reports;
  for (int i = 0; i < 60; ++i)
    reports.push_back({"run" + std::to_string(random.below(25)), static_cast<int64_t>(random.below(2)), 10,
                       100 * random.uniform()});
  const auto whole = decide_all(reports, 3);
  for (size_t cut : {size_t{1}, size_t{17}, size_t{59}}) {
    Halving again;
    for (size_t i = 0; i < cut; ++i) {
      const Json line = parse_json(json_line(decision_line(whole[i], 1.5)), "line");
      again.restore(decision_from_line(line, "decisions.jsonl"));
    }
    for (size_t i = cut; i < reports.size(); ++i) CHECK(again.decide(reports[i], 3) == whole[i]);
  }
}

// With runs in random order the i-th passes with probability max(1, floor(i / 3)) / i: 9.12 of 27.
TEST_CASE("of 27 runs in random order 9.1 pass a rung with a reduction of three") {
  constexpr int kSweeps = 4000, kRuns = 27;
  double passed = 0;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    CounterRandom random(static_cast<uint64_t>(sweep));
    std::vector<double> scores;
    for (int i = 0; i < kRuns; ++i) scores.push_back(random.uniform());
    for (const bool on : who_goes_on(scores, 3)) passed += on;
  }
  double expected = 0;
  for (int i = 1; i <= kRuns; ++i) expected += std::max(1, i / 3) / static_cast<double>(i);
  CHECK(expected == Approx(9.12).margin(0.01));
  CHECK(passed / kSweeps == Approx(expected).margin(0.1));  // its standard error is 0.03
}

TEST_CASE("a line of decisions that lacks something is refused by its name") {
  CHECK_THROWS_WITH(decision_from_line({{"run", "run1"}}, "decisions.jsonl:3"),
                    Catch::Contains("decisions.jsonl:3"));
}
