// A database of every schema that there ever was, opened by the expctl of today.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/core.h>

#include "core/files.h"
#include "registry/migrations.h"
#include "registry/registry.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("registry: a database of every past schema is brought up to date, with all its rows",
          "[registry]") {
  for (size_t schema = 1; schema <= embedded_migrations().size(); ++schema) {
    INFO("schema " << schema << ": a new migration needs a dump of its own here, made with sqlite3's .dump");
    const TempDir dir;
    const auto path = dir / "registry.db";
    {
      SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      raw.exec(read_file(test::source_dir() / fmt::format("tests/data/registry/schema_{}.sql", schema)));
      REQUIRE(raw.execAndGet("PRAGMA user_version").getInt() == static_cast<int>(schema));
    }
    Registry registry = Registry::open(path);
    CHECK(registry.faults().empty());
    REQUIRE(registry.list_runs().size() == 5);
    CHECK(registry.list_sweeps().size() == 2);
    const auto first = registry.find_entry("run1").value();
    CHECK(first.run.state == RunState::kSucceeded);
    CHECK(first.run.f1 == 88.5);
    CHECK(first.run.tags == std::vector<std::string>{"best"});
    CHECK(first.run.ended == 160.75);
    REQUIRE(first.attempts.size() == 2);
    CHECK(first.attempts[0].token == "t1");
    CHECK(first.attempts[0].end == "failed");
    CHECK(first.attempts[1].reason == FailReason::kNone);
    CHECK(first.evaluations.size() == 2);
    CHECK(first.artifacts.at(0).bytes == 38);
    CHECK(registry.metrics("run1").size() == 2);
    CHECK(registry.last_metric("run1")->step == registry.metrics("run1")[1].step);
    CHECK(first.submissions.size() == (schema < 5 ? 0 : 1));
    CHECK(registry.find_run("run2")->message == "it said: no");
    CHECK(registry.running_attempt("run3")->token == "t4");
    CHECK(registry.find_run("run4")->position == 5);
    CHECK(registry.ensemble_members("ens1") == std::vector<std::string>{"run1", "run2"});
    RunFilter second_sweep;
    second_sweep.sweep_id = "sweep2";
    CHECK(registry.list_runs(second_sweep).size() == (schema == 1 ? 1 : 2));
    // It can be worked with: the next id, and a change.
    CHECK(registry.highest_ids().at(IdKind::kRun) == 4);
    CHECK(registry.apply_event("run4", RunEvent::kStopped));
  }
}
