#include "cli/run_progress.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("run_progress: one part a run, then the queue, cut to the terminal", "[cli]") {
  const std::vector<RunProgress> runs = {{"run3", 120, 2.314, 0.404, 125},
                                         {"run4", 0, 0, 0, -1},
                                         {"run5", 9, 1.5, 0.1, -1},
                                         {"run6", 10, 1, 1, 0}};
  CHECK(progress_line(runs, 5, 200) ==
        "run3 step 120, loss 2.314, 40%, 2 min 5 s left | run4 starting | run5 step 9, loss 1.500, 10% | "
        "run6 predicting | 5 queued");
  CHECK(progress_line(runs, 5, 10) == "run3 step ");
  CHECK(progress_line({}, 0, 80).empty());
}
