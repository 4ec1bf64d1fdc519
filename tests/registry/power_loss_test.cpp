// The power fails at every write in turn: the registry opens, is whole, and has all that was committed.
//
// EXPCTL_POWER_LOSS_SEEDS says how many random parts of the unsynced writes survive each (2 in an ordinary
// run).
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/core.h>

#include <cstdlib>
#include <functional>

#include "core/files.h"
#include "registry/database.h"
#include "registry/registry.h"
#include "tests/registry/power_loss_vfs.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Every row of every table.
std::string all_rows(const std::filesystem::path& path) {
  SQLite::Database db(path.string(), SQLite::OPEN_READWRITE);
  std::string rows;
  for (const char* table : {"id_counters", "sweeps", "sweep_runs", "runs", "attempts", "evaluations",
                            "artifacts", "metrics", "ensemble_members", "tags"}) {
    SQLite::Statement query(db, fmt::format("SELECT * FROM {} ORDER BY 1, 2", table));
    while (query.executeStep()) {
      rows += table;
      for (int i = 0; i < query.getColumnCount(); ++i) rows += "|" + query.getColumn(i).getString();
      rows += "\n";
    }
  }
  return rows;
}

RunSpec spec_of_seed(int64_t seed) {
  RunSpec spec;
  spec.name = "lr";
  spec.train.seed = seed;
  spec.train = resolve(spec.train);
  return spec;
}

/// What a registry goes through, each step acknowledged before the next.
using Steps = std::vector<std::function<void(std::optional<Registry>&)>>;

Steps life_of_a_registry(const std::filesystem::path& path) {
  const auto start = [](const char* id) {
    return [id](std::optional<Registry>& r) { r->start_attempt(id, {id, 1, "token", 200, 0, "", {}}); };
  };
  const auto finish = [](const char* id, int steps) {
    return [id, steps](std::optional<Registry>& r) {
      AttemptResults results;
      results.metrics.emplace();
      for (int i = 1; i <= steps; ++i) results.metrics->push_back({i, 0.5, 1.0 / i, 1e-5, 200.0 + i});
      results.evaluation = {id, "default", 88.5, 81.25, Json::object()};
      results.artifacts = {{id, "eval.json", 10, "ab"}};
      Outcome outcome;
      outcome.end = AttemptEnd::kSucceeded;
      outcome.ended = 300;
      r->finish_attempt(id, outcome, false, results);
    };
  };
  return {
      [](auto& r) { r->add_sweep("lr", "/x/lr.toml", "content", 100); },
      [](auto& r) {
        std::vector<RunSpec> specs;
        for (int64_t seed = 1; seed <= 10; ++seed) specs.push_back(spec_of_seed(seed));
        r->add_runs("sweep1", specs, 100);
      },
      start("run1"),
      finish("run1", 200),
      start("run2"),
      // The last one that closes it moves the log into the database.
      [&path](auto& r) {
        r.reset();
        r = Registry::open(path);
      },
      [](auto& r) { r->apply_event("run3", RunEvent::kStopped); },
      finish("run2", 400),
      [&path](auto&) {
        SQLite::Database(path.string(), SQLite::OPEN_READWRITE).exec("PRAGMA wal_checkpoint(RESTART)");
      },
      start("run4"),
      [](auto& r) {
        r->add_ensemble({"e", Json::object(), {"run1", "run2"}, {}}, 400);
      },
      [](auto& r) { r->apply_event("run3", RunEvent::kResumed); },
  };
}

struct Recorded {
  std::vector<FileOperation> operations;
  std::vector<size_t> acknowledged;  ///< how many operations there had been
  std::vector<std::string> rows;     ///< before the first step, after the first, ...
};

int seeds() {
  const char* text = std::getenv("EXPCTL_POWER_LOSS_SEEDS");
  return text == nullptr ? 2 : std::atoi(text);
}

/// Puts what the disk has left into a new folder.
std::filesystem::path put_back(const ForgetfulDisk::Files& files, const TempDir& folder) {
  for (const auto& [name, content] : files) {
    const auto file = folder / std::filesystem::path(name).filename().string();
    std::FILE* out = std::fopen(file.c_str(), "wb");
    REQUIRE(out != nullptr);
    std::fwrite(content.data(), 1, content.size(), out);
    std::fclose(out);
  }
  return folder / "registry.db";
}

/// Opens what is left after each loss with `open`, and compares.
size_t lose_power(const Recorded& recorded, const std::function<void(const std::filesystem::path&)>& open) {
  ForgetfulDisk disk;
  size_t losses = 0;
  for (size_t done = 0; done <= recorded.operations.size(); ++done) {
    if (done > 0) disk.add(recorded.operations[done - 1]);
    size_t acknowledged = 0;
    while (acknowledged < recorded.acknowledged.size() && recorded.acknowledged[acknowledged] <= done)
      ++acknowledged;
    for (int seed = 0; seed <= seeds(); ++seed) {
      std::mt19937 chance(static_cast<unsigned>(seed * 100'000) + static_cast<unsigned>(done));
      const TempDir folder;
      const auto path = put_back(disk.after_loss(seed == 0 ? nullptr : &chance), folder);
      INFO("lost after " << done << " of " << recorded.operations.size() << " operations, seed " << seed);
      open(path);
      const std::string rows = all_rows(path);
      const bool is_known = rows == recorded.rows[acknowledged] || (acknowledged + 1 < recorded.rows.size() &&
                                                                    rows == recorded.rows[acknowledged + 1]);
      if (!is_known) FAIL("acknowledged: " << acknowledged << "\nleft:\n" << rows);
      if (SQLite::Database(path.string()).execAndGet("PRAGMA integrity_check").getString() != "ok")
        FAIL("it is damaged");
      ++losses;
    }
  }
  return losses;
}

}  // namespace

TEST_CASE("registry: at a loss of power nothing that was committed is lost, and the file is whole",
          "[registry]") {
  RecordingVfs vfs;
  const TempDir dir;
  const auto path = dir / "registry.db";
  Recorded recorded;
  std::optional<Registry> registry = Registry::open(path);
  recorded.rows.push_back(all_rows(path));
  for (const auto& step : life_of_a_registry(path)) {
    step(registry);
    recorded.acknowledged.push_back(vfs.operations.size());
    recorded.rows.push_back(all_rows(path));
  }
  registry.reset();
  vfs.is_recording = false;
  recorded.operations = std::move(vfs.operations);
  CHECK(recorded.operations.size() > 100);
  const size_t losses = lose_power(recorded, [](const auto& file) { Registry::open(file); });
  std::printf("%zu losses of power, %zu operations\n", losses, recorded.operations.size());
}

TEST_CASE("registry: the same on a file system of the network, with a rollback journal", "[registry]") {
  RecordingVfs vfs;
  const TempDir dir;
  const auto path = dir / "registry.db";
  Recorded recorded;
  std::optional<Database> database;
  database.emplace(path, Access::kCreate, JournalMode::kTruncate);
  recorded.rows.push_back(all_rows(path));
  for (int step = 1; step <= 8; ++step) {
    database->write([&](SQLite::Database& db) {
      for (int row = 0; row < 20; ++row) {
        db.exec(fmt::format("INSERT INTO sweeps (id, name, file, created) VALUES ('s{}', '{}', 'f', 1)",
                            step * 100 + row, std::string(300, 'x')));
      }
      db.exec(fmt::format("UPDATE sweeps SET name = 'step {}' WHERE id LIKE 's{}%'", step, step - 1));
    });
    recorded.acknowledged.push_back(vfs.operations.size());
    recorded.rows.push_back(all_rows(path));
  }
  database.reset();
  vfs.is_recording = false;
  recorded.operations = std::move(vfs.operations);
  lose_power(recorded, [](const auto& file) { Database(file, Access::kCreate, JournalMode::kTruncate); });
}

TEST_CASE("registry: a registry that did not sync would be seen to lose", "[registry]") {
  RecordingVfs vfs;
  const TempDir dir;
  const auto path = dir / "registry.db";
  Registry::open(path);
  {
    SQLite::Database careless(path.string(), SQLite::OPEN_READWRITE);
    careless.exec("PRAGMA synchronous = OFF; UPDATE id_counters SET highest = 7");
    vfs.is_recording = false;
  }
  ForgetfulDisk disk;
  for (const auto& operation : vfs.operations) disk.add(operation);
  const TempDir left;
  CHECK_THAT(all_rows(put_back(disk.after_loss(nullptr), left)), !Catch::Contains("|7"));
}
