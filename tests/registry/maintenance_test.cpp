#include "registry/maintenance.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "registry/registry.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

EntryRecord entry_of(const std::string& id, int64_t position, const std::string& sweep, int64_t seed) {
  EntryRecord entry;
  entry.run.id = id;
  entry.run.position = position;
  entry.run.sweep_id = sweep;
  entry.run.name = "lr";
  entry.run.config_hash = "cafe";
  entry.run.seed = seed;
  entry.run.created = 100.5;
  entry.run.spec = {{"name", "lr"}};
  return entry;
}

RegistryRows some_rows() {
  RegistryRows rows;
  rows.highest_ids = {{IdKind::kRun, 9}, {IdKind::kEnsemble, 1}, {IdKind::kSweep, 4}};
  rows.sweeps = {{{"sweep1", "lr", "/x/lr.toml", 100.5, "aa"}, {"run1"}},
                 {{"sweep3", "lr", "/x/lr.toml", 101.5, "bb"}, {"run1", "run4"}}};
  rows.entries = {entry_of("run1", 1, "sweep1", 1), entry_of("ens1", 3, "", 0),
                  entry_of("run4", 5, "sweep3", 2)};
  rows.entries[0].run.state = RunState::kRunning;
  rows.entries[0].run.tags = {"best"};
  rows.entries[0].run.attempts = 2;
  rows.entries[0].attempts = {{"run1", 1, "t1", 101, 102, "failed", FailReason::kSignal},
                              {"run1", 2, "t2", 103, 0, "", FailReason::kNone}};
  rows.entries[0].artifacts = {{"run1", "eval.json", 10, "ab"}};
  rows.entries[1].run.state = RunState::kSucceeded;
  rows.entries[1].evaluations = {{"ens1", "default", 90.5, 80.25, {{"window", "overlap"}}}};
  rows.entries[1].members = {"run4", "run1"};
  rows.entries[1].submissions = {{"/x/submission", 2, 104.5}};
  return rows;
}

}  // namespace

TEST_CASE("maintenance: a registry made of rows holds them, and goes on after the highest ids",
          "[registry]") {
  const TempDir dir;
  write_registry(dir / "registry.db", some_rows(), [](const EntryRecord& entry) {
    return entry.run.id == "run1" ? std::vector<MetricRecord>{{1, 0.5, 3, 1e-5, 100}}
                                  : std::vector<MetricRecord>{};
  });
  CHECK_FALSE(std::filesystem::exists(dir / "registry.db-wal"));
  Registry registry = Registry::open(dir / "registry.db");
  CHECK(registry.faults().empty());
  const auto run = registry.find_entry("run1").value();
  CHECK(run.run.tags == std::vector<std::string>{"best"});
  CHECK(run.attempts.at(0).reason == FailReason::kSignal);
  CHECK(registry.running_attempt("run1")->token == "t2");
  CHECK(registry.metrics("run1").size() == 1);
  CHECK(registry.find_run("ens1")->f1 == 90.5);
  CHECK(registry.find_run("ens1")->sweep_id.empty());
  CHECK(registry.ensemble_members("ens1") == std::vector<std::string>{"run4", "run1"});
  const auto submissions = registry.submissions_of("ens1");
  REQUIRE(submissions.size() == 1);
  CHECK(submissions[0].folder == "/x/submission");
  CHECK(submissions[0].place == 2);
  CHECK(submissions[0].created == 104.5);
  CHECK(registry.artifacts("run1").at(0).sha256 == "ab");
  CHECK(registry.sweeps_of("run1") == std::vector<std::string>{"sweep1", "sweep3"});
  CHECK(registry.list_sweeps().at(1).content_sha256 == "bb");
  CHECK(registry.list_runs().at(2).position == 5);
  RunSpec spec;
  spec.train = resolve(spec.train);
  CHECK(registry.add_sweep("lr", "/x/lr.toml", "cc", 1).id == "sweep5");
  CHECK(registry.add_runs("sweep5", {spec}, 1).at(0).id == "run10");
}

TEST_CASE("maintenance: a copy is of one moment, whoever writes meanwhile, and overwrites nothing",
          "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  Registry::open(path);
  std::atomic<bool> stop = false;
  // Two tables that a transaction always leaves alike.
  std::thread writer([&] {
    Registry registry = Registry::open(path);
    for (int i = 0; !stop; ++i) registry.add_sweep("s", "file" + std::to_string(i), "c", i);
  });
  for (int i = 0; i < 10; ++i) {
    const auto copy = dir / ("copy" + std::to_string(i) + ".db");
    copy_registry(path, copy);
    SQLite::Database raw(copy.string());
    CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
    CHECK(raw.execAndGet("SELECT count(*) FROM sweeps").getInt64() ==
          raw.execAndGet("SELECT highest FROM id_counters WHERE kind = 'sweep'").getInt64());
    CHECK(raw.execAndGet("PRAGMA journal_mode").getString() == "delete");
  }
  stop = true;
  writer.join();
  write_file(dir / "mine.txt", "mine");
  CHECK_THROWS_WITH(copy_registry(path, dir / "mine.txt"), Catch::Contains("is there already"));
  CHECK(read_file(dir / "mine.txt") == "mine");
  CHECK_THROWS_AS(copy_registry(path, dir / "no-folder/copy.db"), Error);
  CHECK_THROWS_AS(copy_registry(dir / "none.db", dir / "copy-of-none.db"), Error);
  CHECK_FALSE(std::filesystem::exists(dir / "copy-of-none.db"));
  CHECK(Registry::open(dir / "copy9.db").faults().empty());
}

TEST_CASE("maintenance: what is damaged is not copied, and nothing is left of a copy that failed",
          "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  Registry::open(path);
  const auto count = [&] { return std::distance(std::filesystem::directory_iterator(dir.path()), {}); };
  copy_registry(path, dir / "copy.db");
  const auto files = count();
  CHECK_THROWS_AS(copy_registry(path, dir / "copy.db"), Error);
  {
    SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
    raw.exec("PRAGMA foreign_keys = OFF");
    raw.exec("INSERT INTO tags VALUES ('best', 'run9')");  // of a run that is not there
  }
  CHECK_THROWS_WITH(copy_registry(path, dir / "other.db"), Catch::Contains("registry.db: "));
  CHECK_FALSE(std::filesystem::exists(dir / "other.db"));
  CHECK(count() == files);
}

TEST_CASE("maintenance: a registry is set aside as one file, but not while another program has it",
          "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  {
    auto registry = Registry::open(path);
    registry.add_sweep("s", "f", "c", 1);
    try {
      set_registry_aside(path, dir / "old.db");
      FAIL("it was open");
    } catch (const Error& e) {
      CHECK(e.code() == ErrorCode::kRegistry);
    }
    CHECK(std::filesystem::exists(path));
  }
  set_registry_aside(path, dir / "old.db");
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
  CHECK(Registry::open(dir / "old.db").find_sweep("sweep1"));
  // No registry, and a log that has lost its database.
  write_file(path, std::string(4096, 'x'));
  set_registry_aside(path, dir / "text.db");
  CHECK(read_file(dir / "text.db") == std::string(4096, 'x'));
  write_file(dir / "registry.db-wal", "a log");
  set_registry_aside(path, dir / "lost.db");
  CHECK(read_file(dir / "lost.db-wal") == "a log");
}
