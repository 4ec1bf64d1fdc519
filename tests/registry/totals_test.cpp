// Counts of runs, parts of long lists, and a registry that may only be read.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/core.h>

#include "core/error.h"
#include "core/files.h"
#include "registry/registry.h"
#include "registry/where.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

RunSpec spec_with(int64_t seed) {
  RunSpec spec;
  spec.name = "lr";
  spec.train.seed = seed;
  spec.train = resolve(spec.train);
  return spec;
}

void finish(Registry& registry, const std::string& id, double started, double ended,
            std::optional<double> f1) {
  AttemptRecord attempt;
  attempt.run_id = attempt.token = id;
  attempt.started = started;
  registry.start_attempt(id, attempt);
  AttemptResults results;
  if (f1) results.evaluation = EvaluationRecord{id, "default", *f1, 50, Json::object()};
  Outcome outcome;
  outcome.end = f1 ? AttemptEnd::kSucceeded : AttemptEnd::kFailed;
  outcome.reason = f1 ? FailReason::kNone : FailReason::kExitCode;
  outcome.ended = ended;
  registry.finish_attempt(id, outcome, false, results);
}

/// Two sweeps; the second describes the first's last run too. run2 is the best, run3 has failed, others are
/// queued.
struct TwoSweeps {
  TempDir dir;
  std::filesystem::path path = dir / "registry.db";

  TwoSweeps() {
    Registry registry = Registry::open(path);
    const auto first = registry.add_sweep("lr", "/x/lr.toml", "a", 100);
    registry.add_runs(first.id, {spec_with(1), spec_with(2), spec_with(3), spec_with(4)}, 100);
    const auto second = registry.add_sweep("lr", "/x/lr.toml", "b", 200);
    registry.add_runs(second.id, {spec_with(4), spec_with(5)}, 200);
    finish(registry, "run1", 1000, 1010, 80);
    finish(registry, "run2", 1100, 1130, 85);
    finish(registry, "run3", 1050, 1051, {});
  }
};

}  // namespace

TEST_CASE("totals: of all runs, and of each sweep, the newest first", "[registry]") {
  const TwoSweeps two;
  const Registry registry = Registry::open_existing(two.path);
  CHECK(registry.state_counts() ==
        StateCounts{{RunState::kQueued, 2}, {RunState::kSucceeded, 2}, {RunState::kFailed, 1}});
  const auto sweeps = registry.sweep_totals(10, 0);
  REQUIRE(sweeps.size() == 2);
  CHECK(sweeps[0].sweep.id == "sweep2");
  CHECK(sweeps[0].states == StateCounts{{RunState::kQueued, 2}});
  CHECK(sweeps[0].best.empty());
  CHECK(registry.mean_duration_s("sweep2") == -1);
  CHECK(sweeps[1].states ==
        StateCounts{{RunState::kQueued, 1}, {RunState::kSucceeded, 2}, {RunState::kFailed, 1}});
  CHECK(sweeps[1].best == "run2");
  CHECK(sweeps[1].best_f1 == 85);
  CHECK(registry.mean_duration_s("sweep1") == 20);
  CHECK(registry.sweep_totals(1, 1).front().sweep.id == "sweep1");
  CHECK(registry.sweep_totals(1, 2).empty());
}

TEST_CASE("totals: by their times the last runs come first, those that have none last", "[registry]") {
  const TwoSweeps two;
  const Registry registry = Registry::open_existing(two.path);
  const auto ids = [&](const std::string& sort, bool is_reversed, const std::string& where = "") {
    std::string text;
    for (const auto& run : registry.query_runs({parse_where(where), sort, is_reversed})) text += run.id + " ";
    return text;
  };
  CHECK(ids("created", false) == "run5 run1 run2 run3 run4 ");
  CHECK(ids("created", true) == "run1 run2 run3 run4 run5 ");
  for (const char* sort : {"started", "ended"}) {
    CHECK(ids(sort, false) == "run2 run3 run1 run4 run5 ");
    CHECK(ids(sort, true) == "run1 run3 run2 run4 run5 ");
  }
  CHECK(ids("id", false, "started<1080") == "run1 run3 ");  // nor is what has none before or after a time
  CHECK(ids("id", false, "not ended>0") == "run4 run5 ");
  CHECK(ids("attempts", false) == "run4 run5 run1 run2 run3 ");
}

TEST_CASE("totals: a list in parts is the list", "[registry]") {
  const TwoSweeps two;
  const Registry registry = Registry::open_existing(two.path);
  std::vector<std::string> ids;
  for (size_t offset = 0; offset < 6; offset += 2) {
    const auto part = registry.query_runs({{}, "f1", false, 2, offset});
    CHECK(part.size() == (offset < 4 ? 2 : 1));
    for (const auto& run : part) ids.push_back(run.id);
  }
  CHECK(ids == std::vector<std::string>{"run2", "run1", "run3", "run4", "run5"});
  CHECK(registry.query_runs({{}, "f1", false, 2, 6}).empty());
}

TEST_CASE("registry: opened to read only it shows what others write, and writes nothing", "[registry]") {
  const TwoSweeps two;
  Registry reader = Registry::open_read_only(two.path);
  CHECK(reader.list_runs().size() == 5);
  Registry writer = Registry::open_existing(two.path);
  writer.add_runs("sweep2", {spec_with(6)}, 300);
  CHECK(reader.list_runs().size() == 6);
  CHECK_THROWS_AS(reader.set_tag("best", "run1"), Error);
  CHECK(writer.find_run("run1")->tags.empty());
}

TEST_CASE("registry: an older schema is refused where it may only be read", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  {
    SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    raw.exec(read_file(test::source_dir() / "tests/data/registry/schema_1.sql"));
  }
  try {
    Registry::open_read_only(path);
    FAIL("it was opened");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kRegistry);
    CHECK_THAT(e.what(), Catch::Contains("its schema is number 1, not yet "));
  }
  Registry::open_existing(path);
  CHECK_NOTHROW(Registry::open_read_only(path));
  CHECK_THROWS_AS(Registry::open_read_only(dir / "none.db"), Error);
}
