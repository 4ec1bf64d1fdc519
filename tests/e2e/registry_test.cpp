// `expctl registry`: the database lost and made anew from the folders, checked against them, copied.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

ProgramResult expctl_in(const TempDir& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
  return run_program(words);
}

std::string succeeds(const TempDir& folder, const std::vector<std::string>& words) {
  const ProgramResult result = expctl_in(folder, words);
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
  return result.out;
}

/// Every row of every table, with its columns' names.
std::string dump(const fs::path& registry) {
  SQLite::Database db(registry.string());
  std::string text;
  for (const char* table : {"id_counters", "sweeps", "sweep_runs", "runs", "attempts", "evaluations",
                            "artifacts", "metrics", "ensemble_members", "tags"}) {
    SQLite::Statement query(db, fmt::format("SELECT * FROM {} ORDER BY 1, 2", table));
    while (query.executeStep()) {
      text += table;
      for (int i = 0; i < query.getColumnCount(); ++i) {
        text += fmt::format(" {}={}", query.getColumnName(i),
                            query.getColumn(i).isNull() ? "NULL" : query.getColumn(i).getString());
      }
      text += "\n";
    }
  }
  return text;
}

void change(const TempDir& folder, const std::string& sql) {
  SQLite::Database db((folder / "runs/registry.db").string(), SQLite::OPEN_READWRITE, 10'000);
  db.exec("PRAGMA foreign_keys = ON");
  db.exec(sql);
}

void lose_registry(const TempDir& folder) {
  for (const char* part : {"registry.db", "registry.db-wal", "registry.db-shm"})
    fs::remove(folder / ("runs/" + std::string(part)));
}

void edit(const TempDir& folder, const std::string& what, const std::string& with) {
  std::string file = read_file(folder / "s.toml");
  REQUIRE(file.find(what) != std::string::npos);
  file.replace(file.find(what), what.size(), with);
  write_file(folder / "s.toml", file);
}

/// Two sweeps that share runs: run1 succeeds with a score and metrics, run2 fails and succeeds when it is
/// tried again, run3 fails for good, run4 is interrupted, run5 stopped before it was ever started, the others
/// never are. One runs at a time.
void live_a_life(const TempDir& folder) {
  const std::string metrics =
      R"(echo '{\"step\":1,\"epoch\":0.5,\"loss\":2.5,\"learning_rate\":1e-5,\"time\":10}' > metrics.jsonl;)";
  write_sweep(folder,
              "\"" + metrics + R"( echo '{\"q1\": \"blue\"}' > predictions.json",)" +
                  R"("test -e once || { touch once; exit 3; }", "echo 'it says: no'; exit 4",)"
                  R"("test -e ../../go || sleep 300", "true")",
              "cpus = " + std::to_string(std::thread::hardware_concurrency()) + "\n");
  edit(folder, "retries = 0", "retries = 1");
  auto first = sweep_argv(folder);
  first.insert(first.end(), {"--max-runs", "3"});
  run_program(first);
  change(folder, "INSERT INTO tags VALUES ('best', 'run4'), ('worst', 'run3')");
  CHECK(expctl_in(folder, {"stop", "run5"}).exit_code == 0);
  edit(folder, "\"true\"]", "\"true\", \"true; true\", \"sleep 0\"]");
  edit(folder, "retries = 1", "retries = 2");
  const pid_t sweeping = spawn_sweep(folder);
  CHECK(wait_until(30, [&] { return fs::exists(folder / "runs/run4/attempt.claim"); }));
  ::kill(sweeping, SIGTERM);
  int status = 0;
  ::waitpid(sweeping, &status, 0);
}

}  // namespace

TEST_CASE("a registry that was lost is made anew from the folders, row by row", "[e2e]") {
  const TempDir folder;
  live_a_life(folder);
  const fs::path registry = folder / "runs/registry.db";
  const std::string before = dump(registry);
  INFO(before);
  for (const char* state :
       {"state=succeeded", "state=failed", "state=stopped", "state=queued", "ending=interrupted"})
    CHECK_THAT(before, Catch::Contains(state));
  CHECK_THAT(before, Catch::Contains("evaluations run_id=run1 name=default f1=100"));
  CHECK_THAT(before, Catch::Contains("metrics run_id=run1 step=1"));
  CHECK_THAT(before, Catch::Contains("sweep_runs sweep_id=sweep2 run_id=run1"));
  CHECK_THAT(before, Catch::Contains("tags tag=best run_id=run4"));
  CHECK_THAT(succeeds(folder, {"registry", "check", "--mend", "--hashes"}), Catch::Contains("agree"));
  lose_registry(folder);
  CHECK_THAT(succeeds(folder, {"registry", "rebuild"}), Catch::Contains("2 sweeps, 7 runs, 0 ensembles"));
  CHECK(dump(registry) == before);
  CHECK_THAT(succeeds(folder, {"registry", "check", "--hashes"}), Catch::Contains("agree"));
  // It goes on as if nothing had happened: what has ended is left, the next id is the next.
  write_file(folder / "go", "");
  const std::string starts = read_file(folder / "starts.txt");
  edit(folder, "seeds = [1]", "seeds = [1, 2]");
  const Json runs = sweep(folder, 4);
  CHECK(runs.size() == 14);
  CHECK_FALSE(by_id(runs, "run8").is_null());
  CHECK_FALSE(by_id(runs, "run14").is_null());
  CHECK(by_id(runs, "run4")["state"] == "succeeded");
  CHECK(by_id(runs, "run5")["state"] == "stopped");
  const std::string started_since = read_file(folder / "starts.txt").substr(starts.size());
  CHECK_THAT(before, Catch::Contains("attempts run_id=run2 attempt=2"));
  CHECK_THAT(started_since, !Catch::Contains("run1\n") && !Catch::Contains("run3\n"));
  const std::string later = dump(registry);
  lose_registry(folder);
  succeeds(folder, {"registry", "rebuild"});
  CHECK(dump(registry) == later);
}

TEST_CASE("a registry that was lost is said, and nothing is trained again, until it is made anew", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true", "exit 0")");
  sweep(folder, 0);
  const std::string starts = read_file(folder / "starts.txt");
  const std::string file = (folder / "s.toml").string();
  write_file(folder / "predictions.json", R"({"q1": "blue"})");
  for (const std::string what : {"missing", "empty"}) {
    lose_registry(folder);
    if (what == "empty") write_file(folder / "runs/registry.db", "");
    for (const std::vector<std::string>& words : {std::vector<std::string>{"sweep", file},
                                                  {"sweep", file, "--dry-run"},
                                                  {"sweep", file, "--detach"},
                                                  {"train", file, "--set", "mode=true"},
                                                  {"runs"},
                                                  {"import", (folder / "predictions.json").string()},
                                                  {"ensemble", "run1", "run2"}}) {
      const ProgramResult refused = expctl_in(folder, words);
      INFO(what << " " << join(words, " ") << ": " << refused.err);
      CHECK(refused.exit_code == 1);
      CHECK_THAT(refused.err, Catch::Contains("2 runs lie here, but registry.db is " + what) &&
                                  Catch::Contains("expctl registry rebuild takes them in"));
    }
  }
  CHECK(read_file(folder / "starts.txt") == starts);
  succeeds(folder, {"registry", "rebuild"});
  CHECK(by_id(sweep(folder, 0), "run2")["state"] == "succeeded");
  CHECK(read_file(folder / "starts.txt") == starts);
}

TEST_CASE("a scheduler that was killed leaves runs that a new registry knows as running", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true", "test -e ../../go || sleep 300")", "cpus = 1\n");
  const pid_t sweeping = start_sweep(folder);
  CHECK(wait_until(20, [&] {
    return fs::exists(folder / "runs/run2/attempt.claim") &&
           read_json(folder / "runs/run1/run.json")["state"] == "succeeded";
  }));
  CHECK(expctl_in(folder, {"registry", "rebuild", "--force"}).exit_code == 5);  // a sweep is at work
  ::kill(sweeping, SIGKILL);
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  CHECK(wait_until(10, [&] { return !someone_in(folder / "runs"); }));
  const std::string before = dump(folder / "runs/registry.db");
  CHECK_THAT(before, Catch::Contains("state=running"));
  lose_registry(folder);
  succeeds(folder, {"registry", "rebuild"});
  CHECK(dump(folder / "runs/registry.db") == before);
  write_file(folder / "go", "");
  CHECK(by_id(sweep(folder, 0), "run2")["state"] == "succeeded");
}

TEST_CASE("rebuild overwrites nothing, and leaves out what it cannot read", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true", "true ", "true  ")");
  sweep(folder, 0);
  const std::string before = dump(folder / "runs/registry.db");
  const ProgramResult refused = expctl_in(folder, {"registry", "rebuild"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("is there already") && Catch::Contains("--force"));
  CHECK_THAT(succeeds(folder, {"registry", "rebuild", "--force"}), Catch::Contains("3 runs"));
  CHECK(dump(folder / "runs/registry.db") == before);
  CHECK(dump(folder / "runs/registry.db.old-1") == before);
  write_file(folder / "runs/run2/run.json", "{\"id\": ");
  const ProgramResult partly = expctl_in(folder, {"--json", "registry", "rebuild", "--force"});
  CHECK(partly.exit_code == 1);
  const Json report = Json::parse(partly.out);
  CHECK(report["runs"] == 2);
  CHECK(report["notes"][0]["id"] == "run2");
  CHECK(report["notes"][0]["left_out"] == true);
  CHECK(fs::exists(folder / "runs/registry.db.old-2"));
  const int schema =
      SQLite::Database((folder / "runs/registry.db").string()).execAndGet("PRAGMA user_version").getInt();
  change(folder, "PRAGMA user_version = 999");
  const ProgramResult newer = expctl_in(folder, {"runs"});
  CHECK(newer.exit_code == 5);
  CHECK_THAT(newer.err, Catch::Contains("number 999") && Catch::Contains("use the newer expctl"));
  change(folder, "PRAGMA user_version = " + std::to_string(schema));
  // Its id is not given again, the sweep's file describes it anew.
  CHECK_FALSE(by_id(sweep(folder, 0), "run4").is_null());
}

TEST_CASE("registry check names what differs, where, and what to do", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("echo '{\"q1\": \"blue\"}' > predictions.json", "true", "exit 1")");
  sweep(folder, 4);
  const auto check = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> words = {"--json", "registry", "check"};
    words.insert(words.end(), flags.begin(), flags.end());
    const ProgramResult result = expctl_in(folder, words);
    INFO(result.err);
    const Json differences = Json::parse(result.out)["differences"];
    CHECK(result.exit_code == (differences.empty() ? 0 : 1));
    std::string all;
    for (const auto& d : differences) {
      CHECK_FALSE(d["remedy"].get<std::string>().empty());
      all += d["id"].get<std::string>() + " " + fs::path(d["where"].get<std::string>()).filename().string() +
             " " + d["what"].get<std::string>() + "\n";
    }
    return all;
  };
  CHECK(check({"--hashes"}).empty());
  // The same size, another content: only the hash tells.
  std::string predictions = read_file(folder / "runs/run1/predictions.json");
  std::replace(predictions.begin(), predictions.end(), 'b', 'g');
  write_file(folder / "runs/run1/predictions.json", predictions);
  CHECK(check({}).empty());
  CHECK_THAT(check({"--hashes"}), Catch::StartsWith("run1 predictions.json its content"));
  write_file(folder / "runs/run1/predictions.json", "{}");
  write_file(folder / "runs/run1/eval.json", "{\"exact_match\": 0.0, \"f1\": 1.0}");
  fs::remove(folder / "runs/run2/command.txt");
  Json file = read_json(folder / "runs/run3/run.json");
  file["state"] = "succeeded";
  write_file(folder / "runs/run3/run.json", json_text(file));
  write_file(folder / "runs/sweep1/sweep.toml", "");
  fs::create_directories(folder / "runs/run77");
  const std::string found = check({});
  CHECK_THAT(found, Catch::Contains("run1 predictions.json it has 2 bytes"));
  CHECK_THAT(found, Catch::Contains("run1 eval.json f1: '100.0' on record, '1.0' in the file"));
  CHECK_THAT(found, Catch::Contains("run2 command.txt it is missing"));
  CHECK_THAT(found, Catch::Contains("run3 run.json state: 'failed' on record, 'succeeded' in the file"));
  CHECK_THAT(found, Catch::Contains("sweep1 sweep.toml its content is not"));
  CHECK_THAT(found, Catch::Contains("run77 run77 the registry knows nothing of it"));
  CHECK_THAT(check({"--mend"}), !Catch::Contains("run3") && Catch::Contains("run1 eval.json"));
  const ProgramResult text = expctl_in(folder, {"registry", "check"});
  CHECK(text.exit_code == 1);
  CHECK_THAT(text.out, Catch::Contains("what to do") && Catch::Contains("put the file back"));
}

TEST_CASE("registry check: --mend keeps what is known of a run that is not on record", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("echo '{\"q1\": \"blue\"}' > predictions.json", "exit 3")");
  sweep(folder, 4);
  const std::string whole = read_file(folder / "runs/run1/run.json");
  write_file(folder / "runs/run1/run.json", "{");
  CHECK(expctl_in(folder, {"registry", "rebuild", "--force"}).exit_code == 1);  // one is left out
  const std::string lines = read_file(folder / "runs/sweep1/runs.jsonl");
  const ProgramResult mended = expctl_in(folder, {"registry", "check", "--mend"});
  CHECK(mended.exit_code == 1);
  CHECK_THAT(mended.err, Catch::Contains("runs.jsonl is left as it is: run1 is not on record"));
  CHECK_THAT(mended.out + mended.err, Catch::Contains("put run.json back from a copy"));
  CHECK(read_file(folder / "runs/sweep1/runs.jsonl") == lines);
  // Put back, all is as it was.
  write_file(folder / "runs/run1/run.json", whole);
  succeeds(folder, {"registry", "rebuild", "--force"});
  CHECK_THAT(succeeds(folder, {"registry", "check"}), Catch::Contains("2 runs and ensembles agree"));
}

TEST_CASE("a copy is made while a sweep is at work, which check does not disturb either", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 0.05")", "cpus = 1\n");
  std::string seeds = "1";
  for (int seed = 2; seed <= 40; ++seed) seeds += fmt::format(", {}", seed);
  edit(folder, "[1]", "[" + seeds + "]");
  const pid_t sweeping = start_sweep(folder);
  for (int copy = 0; copy < 3; ++copy) {
    const fs::path to = folder / fmt::format("copy{}.db", copy);
    CHECK(succeeds(folder, {"registry", "backup", to.string()}) == to.string() + "\n");
    CHECK(SQLite::Database(to.string()).execAndGet("PRAGMA integrity_check").getString() == "ok");
    CHECK_THAT(succeeds(folder, {"registry", "check"}), Catch::Contains("40 runs and ensembles agree"));
  }
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(expctl_in(folder, {"registry", "backup", (folder / "copy0.db").string()}).exit_code == 1);
  const std::string named = std::string(trim(succeeds(folder, {"registry", "backup"})));
  CHECK_THAT(fs::path(named).filename().string(), Catch::StartsWith("registry-20") && Catch::EndsWith(".db"));
  CHECK(dump(named) == dump(folder / "runs/registry.db"));
}
