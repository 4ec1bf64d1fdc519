#include "cli/replicate.h"

#include <catch2/catch.hpp>

using namespace expctl;

namespace {

std::optional<RunRecord> run(const std::string& id, const std::string& config, double f1,
                             RunState state = RunState::kSucceeded) {
  RunRecord record;
  record.id = id;
  record.config_hash = config;
  record.state = state;
  if (state == RunState::kSucceeded) record.f1 = f1;
  return record;
}

}  // namespace

TEST_CASE("replicate: new seeds are the integers after the largest", "[cli]") {
  CHECK(more_seeds({1, 2, 3}, 5) == std::vector<int64_t>{1, 2, 3, 4, 5});
  CHECK(more_seeds({42, 7}, 4) == std::vector<int64_t>{42, 7, 43, 44});
  CHECK(more_seeds({1, 2, 3}, 2) == std::vector<int64_t>{1, 2, 3});
}

TEST_CASE("replicate: the best configs are those with the best means of what has succeeded", "[cli]") {
  const auto failed = run("run6", "c", 0, RunState::kFailed);
  CHECK(best_configs({run("run1", "a", 80), run("run2", "a", 90), run("run3", "b", 86), run("run4", "b", 87),
                      run("run5", "c", 70), failed},
                     2) == std::vector<std::string>{"b", "a"});
  CHECK(best_configs({run("run1", "a", 80)}, 2) == std::vector<std::string>{"a"});
  CHECK_THROWS_WITH(best_configs({run("run1", "a", 80), std::nullopt}, 2),
                    Catch::Contains("1 of the file's 2 runs have not ended"));
  CHECK_THROWS_WITH(best_configs({run("run1", "a", 80), run("run2", "b", 0, RunState::kRunning)}, 2),
                    Catch::Contains("have not ended"));
  CHECK_THROWS_WITH(best_configs({failed}, 2), Catch::Contains("none of the file's runs"));
}
