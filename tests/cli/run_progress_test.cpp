#include "cli/run_progress.h"

#include <catch2/catch.hpp>

using namespace expctl;

namespace {

RunProgress run(const std::string& id, int64_t step, double fraction, double eta_s) {
  RunProgress one;
  one.id = id;
  one.params = {{"learning_rate", 3e-5}};
  one.seed = 1;
  one.step = step;
  one.loss = 2.314;
  one.fraction = fraction;
  one.eta_s = eta_s;
  return one;
}

}  // namespace

TEST_CASE("run_progress: a row a run and how the sweep stands, cut to the terminal", "[cli]") {
  SweepProgress progress;
  progress.running = {run("run3", 120, 0.404, 125), run("run4", 0, 0, -1), run("run5", 10, 1, 0)};
  progress.running[0].f1 = 71.25;
  progress.running.push_back(run("run12", 0, 0, -1));
  progress.running.back().is_training = false;
  progress.running.push_back(run("run13", 7, 0.1, 60));
  progress.running.back().silent_s = 400;
  progress.queued = 5;
  progress.succeeded = 2;
  progress.failed = 1;
  progress.best = "run2";
  progress.best_f1 = 81.209;
  progress.eta_s = 720;
  const std::vector<std::string> expected = {
      "run    step   loss     F1                                           seed  parameters",
      "run3    120  2.314  71.25  40 %, 2 min 5 s left                        1  learning_rate=3e-05",
      "run4      -      -      -  starting                                    1  learning_rate=3e-05",
      "run5     10  2.314      -  predicting                                  1  learning_rate=3e-05",
      "run12     -      -      -  running                                     1  learning_rate=3e-05",
      "run13     7  2.314      -  stalled: no sign of life for 6 min 40 s     1  learning_rate=3e-05",
      "2 done, 1 failed, best F1 81.21 (run2), 5 queued, about 12 min 0 s left"};
  CHECK(progress_table(progress, 200, 24) == expected);
  const auto low = progress_table(progress, 12, 5);
  REQUIRE(low.size() == 4);
  CHECK(low[1] == "run3   120  ");
  CHECK(low[3] == "3 more runni");
  CHECK(progress_table({}, 80, 24) == std::vector<std::string>{"0 done, 0 queued"});
}

TEST_CASE("run_progress: what is left of a sweep, from the runs before", "[cli]") {
  CHECK(sweep_eta_s({}, 0, -1) == 0);
  CHECK(sweep_eta_s({}, 4, -1) == -1);
  CHECK(sweep_eta_s({100, 50}, 0, -1) == 100);  // the longest
  CHECK(sweep_eta_s({100, 50}, 3, 60) == 165);  // (150 + 180) / 2
  CHECK(sweep_eta_s({-1, 50}, 0, -1) == -1);    // nothing is known of one
  CHECK(sweep_eta_s({-1, 50}, 2, 60) == 100);   // half of one for it
}
