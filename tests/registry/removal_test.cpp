// What may go, and what must stay: members, what was handed in, what has a tag or may go on.
#include "core/error.h"
#include "registry/registry.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;
using expctl::test::TempDir;

namespace {

RunSpec spec_with(int64_t seed) {
  RunSpec spec;
  spec.train.seed = seed;
  spec.train = resolve(spec.train);
  spec.init.path = "init" + std::to_string(seed);
  return spec;
}

void finish(Registry& registry, const std::string& id) {
  AttemptRecord attempt;
  attempt.token = id;
  attempt.started = 200;
  registry.start_attempt(id, attempt);
  Outcome outcome;
  outcome.end = AttemptEnd::kSucceeded;
  outcome.ended = 300;
  AttemptResults results;
  results.artifacts = {{id, "checkpoint/model.safetensors", 10, "ab"},
                       {id, "checkpoint2/x", 10, "ab"},
                       {id, "eval.json", 10, "ab"}};
  registry.finish_attempt(id, outcome, false, results);
}

/// run1 to run3 have succeeded, run4 is queued and run5 stopped; ens1 is of run1 and run2. A second sweep
/// describes run3 too.
struct Workspace {
  TempDir dir;
  Registry registry = Registry::open(dir / "registry.db");

  Workspace() {
    const auto first = registry.add_sweep("a", "/x/a.toml", "a", 100);
    registry.add_runs(first.id, {spec_with(1), spec_with(2), spec_with(3), spec_with(4), spec_with(5)}, 100);
    const auto second = registry.add_sweep("b", "/x/b.toml", "b", 110);
    registry.add_runs(second.id, {spec_with(3)}, 110);
    for (const char* id : {"run1", "run2", "run3"}) finish(registry, id);
    registry.apply_event("run5", RunEvent::kStopped);
    registry.add_ensemble({"e", Json::object(), {"run1", "run2", "run1"}, {}}, 400);
  }
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("removal: what a run belongs to", "[registry]") {
  Workspace w;
  CHECK(w.registry.sweeps_of("run1") == Ids{"sweep1"});
  CHECK(w.registry.sweeps_of("run3") == Ids{"sweep1", "sweep2"});
  CHECK(w.registry.sweeps_of("ens1").empty());
  CHECK(w.registry.ensembles_of("run1") == Ids{"ens1"});
  CHECK(w.registry.ensembles_of("run3").empty());
  CHECK(w.registry.checkpoints_in_use() == Ids{"init4", "init5"});
}

TEST_CASE("removal: members of what stays, and what is at work, must stay", "[registry]") {
  Workspace w;
  CHECK_THROWS_WITH(w.registry.check_removable({"run4"}), "run4 is queued");
  CHECK_THROWS_WITH(w.registry.check_removable({"run3", "run1"}), "run1 is a member of ens1");
  CHECK_NOTHROW(w.registry.check_removable({"run1", "ens1", "run2", "run3", "run5"}));
  CHECK_THROWS_WITH(w.registry.remove_run("run2"), "run2 is a member of ens1");
  w.registry.remove_run("ens1");
  CHECK_THROWS_AS(w.registry.remove_run("run2", [] { throw Error("full"); }), Error);
  CHECK(w.registry.find_run("run2"));
  w.registry.remove_run("run2");
  CHECK_FALSE(w.registry.find_run("run2"));
  CHECK(w.registry.find_run("run1"));
}

TEST_CASE("removal: what was handed in stays until its folder holds something else", "[registry]") {
  Workspace w;
  CHECK(w.registry.set_submission("/x/first", {"run3", "run1"}, 500) == Ids{"run3", "run1"});
  CHECK(w.registry.set_submission("/x/other", {"run2"}, 510) == Ids{"run2"});
  const auto of_run1 = w.registry.submissions_of("run1");
  REQUIRE(of_run1.size() == 1);
  CHECK(of_run1[0].folder == "/x/first");
  CHECK(of_run1[0].place == 2);
  CHECK(of_run1[0].created == 500);
  CHECK_THROWS_WITH(w.registry.check_removable({"run3"}), "run3 lies in the submission /x/first");
  CHECK(w.registry.set_submission("/x/first", {"run1"}, 520) == Ids{"run1", "run3"});
  CHECK(w.registry.submissions_of("run3").empty());
  CHECK(w.registry.submissions_of("run1").at(0).place == 1);
  CHECK(w.registry.submissions_of("run2").size() == 1);
  CHECK_NOTHROW(w.registry.check_removable({"run3"}));
}

TEST_CASE("removal: the files of a folder go where the run has no tag and cannot go on", "[registry]") {
  Workspace w;
  w.registry.set_tag("best", "run3");
  CHECK_THROWS_WITH(w.registry.remove_artifacts("run3", "checkpoint"), "run3 is best");
  w.registry.set_tag("best", "run1");
  CHECK_THROWS_AS(w.registry.remove_artifacts("run3", "checkpoint", [] { throw Error("full"); }), Error);
  CHECK(w.registry.artifacts("run3").size() == 3);
  w.registry.remove_artifacts("run3", "checkpoint");  // another's tag says nothing of it
  const auto left = w.registry.artifacts("run3");
  REQUIRE(left.size() == 2);
  CHECK(left[0].path == "checkpoint2/x");
  CHECK(left[1].path == "eval.json");
  CHECK(w.registry.artifacts("run2").size() == 3);
  CHECK_THROWS_WITH(w.registry.remove_artifacts("run5", "checkpoint"), Contains("run5 is stopped"));
  CHECK_THROWS_WITH(w.registry.remove_artifacts("run2", "checkpoint"), Contains("is a member of"));
}
