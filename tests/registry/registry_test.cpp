#include "registry/registry.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/core.h>

#include <set>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "registry/migrations.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

RunSpec spec_with(double learning_rate, int64_t seed) {
  RunSpec spec;
  spec.name = "lr";
  spec.train.learning_rate = learning_rate;
  spec.train.seed = seed;
  spec.train = resolve(spec.train);
  spec.params["learning_rate"] = learning_rate;
  return spec;
}

/// A registry with one sweep of two runs.
struct Workspace {
  TempDir dir;
  std::filesystem::path path = dir / "registry.db";
  Registry registry = Registry::open(path);
  SweepRecord sweep = registry.add_sweep("lr", "/x/lr.toml", "content", 100);
  std::vector<AddedRun> runs = registry.add_runs(sweep.id, {spec_with(1e-5, 1), spec_with(1e-5, 2)}, 100);
};

Outcome outcome(AttemptEnd end, FailReason reason = FailReason::kNone) {
  Outcome o;
  o.end = end;
  o.reason = reason;
  o.ended = 300;
  o.message = "why";
  return o;
}

AttemptRecord attempt_at(double started) {
  AttemptRecord attempt;
  attempt.token = "t";
  attempt.started = started;
  return attempt;
}

}  // namespace

TEST_CASE("registry: ids are given in order, and never again", "[registry]") {
  Workspace w;
  CHECK(w.sweep.id == "sweep1");
  CHECK(w.runs[0].id == "run1");
  CHECK(w.runs[1].id == "run2");
  {
    SQLite::Database raw(w.path.string(), SQLite::OPEN_READWRITE);
    raw.exec("DELETE FROM runs WHERE id = 'run2'");
  }
  CHECK(w.registry.add_runs(w.sweep.id, {spec_with(2e-5, 1)}, 101)[0].id == "run3");
}

TEST_CASE("registry: a new one beside run folders gives none of their ids again", "[registry]") {
  const TempDir dir;
  for (const char* name : {"run7", "run12", "ens3", "sweep2", "run12x", "notes"})
    std::filesystem::create_directory(dir / name);
  auto registry = Registry::open(dir / "registry.db");
  const auto sweep = registry.add_sweep("lr", "/x/lr.toml", "content", 100);
  CHECK(sweep.id == "sweep3");
  CHECK(registry.add_runs(sweep.id, {spec_with(1e-5, 1), spec_with(1e-5, 2)}, 100)[1].id == "run14");
  // Also where it was only opened to look, and a folder has come since.
  auto opened = Registry::open_existing(dir / "registry.db");
  std::filesystem::create_directory(dir / "ens8");
  CHECK(opened.add_ensemble({"e", Json::object(), {"run13", "run14"}, {}}, 100).id == "ens9");
  std::filesystem::create_directory(dir / "run20");
  RunSpec imported;
  imported.command.argv = {"imported", "content"};
  CHECK(opened.add_import({imported, {}, {}}, 100, [](const auto&) {}).id == "run21");
}

TEST_CASE("registry: a run reads back as it was added", "[registry]") {
  Workspace w;
  const auto run = w.registry.find_run("run2");
  REQUIRE(run.has_value());
  CHECK(run->state == RunState::kQueued);
  CHECK(run->seed == 2);
  CHECK(run->spec == to_json(spec_with(1e-5, 2)));
  CHECK(run->config_hash == config_hash(spec_with(1e-5, 2)));
  CHECK_FALSE(run->f1.has_value());
  CHECK(w.registry.find_run_by_identity(run->config_hash, 2)->id == "run2");
  CHECK_FALSE(w.registry.find_run_by_identity(run->config_hash, 3).has_value());
  // The same content of the same file is the same sweep, an edited one another.
  CHECK(w.registry.add_sweep("lr", "/x/lr.toml", "content", 101).id == "sweep1");
  CHECK(w.registry.add_sweep("lr", "/x/lr.toml", "edited", 102).id == "sweep2");
}

TEST_CASE("registry: a run that is there already is adopted by a later sweep, not added twice",
          "[registry]") {
  Workspace w;
  const auto later = w.registry.add_sweep("lr", "/x/lr.toml", "edited", 101);
  const auto runs = w.registry.add_runs(later.id, {spec_with(9e-5, 1), spec_with(1e-5, 1)}, 101);
  CHECK(runs[0].id == "run3");
  CHECK(runs[1].id == "run1");
  CHECK(runs[1].sweep_id == w.sweep.id);  // which added it
  CHECK(w.registry.list_runs().size() == 3);
  RunFilter filter;
  filter.sweep_id = later.id;
  const auto described = w.registry.list_runs(filter);
  REQUIRE(described.size() == 2);
  CHECK(described[0].id == "run1");
  CHECK(described[1].id == "run3");
}

TEST_CASE("registry: an ensemble whose files cannot be placed leaves no entry", "[registry]") {
  Workspace w;
  const NewEnsemble ensemble{"e", Json::object(), {"run1", "run2"}, {}};
  CHECK_THROWS_AS(w.registry.add_ensemble(ensemble, 1, [](const auto&) { throw Error("disk full"); }), Error);
  CHECK_FALSE(w.registry.find_run("ens1").has_value());
  std::string placed;
  CHECK(w.registry.add_ensemble(ensemble, 1, [&](const auto& id) { placed = id; }).id == "ens1");
  CHECK(placed == "ens1");
}

TEST_CASE("registry: the life of a run, with a retry and an interruption", "[registry]") {
  Workspace w;
  CHECK(w.registry.start_attempt("run1", attempt_at(200)).attempts == 1);
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kFailed, FailReason::kSignal), true);
  CHECK(w.registry.find_run("run1")->state == RunState::kQueued);
  CHECK(w.registry.find_run("run1")->retries_used == 1);
  CHECK_FALSE(w.registry.running_attempt("run1").has_value());

  CHECK(w.registry.start_attempt("run1", attempt_at(210)).attempts == 2);
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kInterrupted), false);
  CHECK(w.registry.find_run("run1")->retries_used == 1);

  CHECK(w.registry.start_attempt("run1", attempt_at(220)).attempts == 3);
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kSucceeded), false);
  const auto run = w.registry.find_run("run1").value();
  CHECK(run.state == RunState::kSucceeded);
  CHECK(run.attempts == 3);
  CHECK(run.started == 200);
  CHECK(run.ended == 300);
  CHECK_THROWS_AS(w.registry.start_attempt("run1", attempt_at(400)), Error);
  CHECK_FALSE(w.registry.apply_event("run1", RunEvent::kStopped));
}

TEST_CASE("registry: resources and paths of a run may change, its config and seed may not", "[registry]") {
  Workspace w;
  RunSpec spec = spec_with(1e-5, 1);
  spec.resources.timeout_s = 60;
  spec.dev_data.path = "/elsewhere/dev.json";
  w.registry.set_specs({{"run1", spec}});
  const Json stored = w.registry.find_run("run1")->spec;
  CHECK(stored["resources"]["timeout_s"] == 60.0);
  CHECK(stored["data"]["dev"]["path"] == "/elsewhere/dev.json");
  CHECK_THROWS_WITH(w.registry.set_specs({{"run2", spec}}), "run2 is of another config or seed");
  RunSpec other = spec;
  other.resources.timeout_s = 90;  // of all or of none
  CHECK_THROWS_WITH(w.registry.set_specs({{"run1", other}, {"run2", spec}}),
                    "run2 is of another config or seed");
  CHECK(w.registry.find_run("run1")->spec["resources"]["timeout_s"] == 60.0);
}

TEST_CASE("registry: a failure keeps its reason and message until it is retried", "[registry]") {
  Workspace w;
  w.registry.start_attempt("run1", attempt_at(200));
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kFailed, FailReason::kDiverged), false);
  CHECK(w.registry.find_run("run1")->reason == FailReason::kDiverged);
  CHECK(w.registry.find_run("run1")->message == "why");
  w.registry.apply_event("run1", RunEvent::kRetried);
  w.registry.start_attempt("run1", attempt_at(300));
  CHECK(w.registry.find_run("run1")->reason == FailReason::kNone);
}

TEST_CASE("registry: what a run leaves reads back, and the default evaluation is its score", "[registry]") {
  Workspace w;
  w.registry.set_evaluation({"run1", "default", 88.5, 81.25, {{"max_seq_length", 384}}});
  w.registry.set_evaluation({"run1", "short", 80.0, 70.0, Json::object()});
  CHECK(w.registry.find_run("run1")->f1 == 88.5);
  CHECK(w.registry.evaluations("run1").size() == 2);
  CHECK(w.registry.evaluations("run1")[0].settings["max_seq_length"] == 384);
  AttemptResults results;
  results.artifacts = {{"run1", "eval.json", 10, "ab"}};
  results.metrics = {{3, 0.7, 3.5, 1e-5, 90}};  // a step that the next attempt does not come to
  w.registry.start_attempt("run1", attempt_at(200));
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kInterrupted), false, results);
  results.artifacts = {{"run1", "eval.json", 11, "cd"}};
  results.metrics = {{1, 0.5, 3.0, 1e-5, 100}, {2, 1.0, 2.0, 1e-5, 101}};
  w.registry.start_attempt("run1", attempt_at(210));
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kInterrupted), false, results);
  REQUIRE(w.registry.artifacts("run1").size() == 1);
  const ArtifactRecord file = w.registry.artifacts("run1")[0];
  CHECK(file.run_id == "run1");
  CHECK(file.path == "eval.json");
  CHECK(file.bytes == 11);
  CHECK(file.sha256 == "cd");
  CHECK(w.registry.evaluations("run1")[1].run_id == "run1");
  CHECK(w.registry.evaluations("run1")[1].name == "short");
  CHECK(w.registry.attempts("run1")[1].run_id == "run1");
  CHECK(w.registry.attempts("run1")[1].started == 210);
  CHECK(w.registry.metrics("run1").size() == 2);
  CHECK(w.registry.metrics("run1")[1].loss == 2.0);
}

TEST_CASE("registry: what is written before a commit sees it, and undoes it where it fails", "[registry]") {
  Workspace w;
  const auto state = [&] { return w.registry.find_run("run1")->state; };
  const auto fail = [] { throw Error("full"); };
  CHECK_THROWS_AS(w.registry.start_attempt("run1", attempt_at(200), fail), Error);
  CHECK(state() == RunState::kQueued);
  CHECK(w.registry.attempts("run1").empty());
  RunState seen = RunState::kQueued;
  w.registry.start_attempt("run1", attempt_at(200), [&] { seen = state(); });
  CHECK(seen == RunState::kRunning);
  const Outcome failed = outcome(AttemptEnd::kFailed, FailReason::kExitCode);
  CHECK_THROWS_AS(w.registry.finish_attempt("run1", failed, false, {}, fail), Error);
  CHECK(state() == RunState::kRunning);
  CHECK(w.registry.running_attempt("run1"));
  w.registry.finish_attempt("run1", failed, false, {}, [&] { seen = state(); });
  CHECK(seen == RunState::kFailed);
  CHECK_THROWS_AS(w.registry.apply_event("run1", RunEvent::kRetried, fail), Error);
  CHECK(state() == RunState::kFailed);
  w.registry.apply_event("run1", RunEvent::kRetried, [&] { seen = state(); });
  CHECK(seen == RunState::kQueued);
}

TEST_CASE("registry: what is queued is told in short, and what others write is noticed", "[registry]") {
  Workspace w;
  w.registry.start_attempt("run1", attempt_at(200));
  const auto queued = w.registry.queued_runs();
  REQUIRE(queued.size() == 1);
  CHECK(queued[0].id == "run2");
  CHECK(queued[0].demand.resources == spec_with(2e-5, 1).resources);
  CHECK_FALSE(queued[0].demand.is_command);
  CHECK_FALSE(Registry::open(w.path).changed_elsewhere());  // since it was opened
  w.registry.finish_attempt("run1", outcome(AttemptEnd::kFailed, FailReason::kOutOfMemory), true);
  CHECK_FALSE(w.registry.changed_elsewhere());
  CHECK(w.registry.queued_runs().size() == 2);
  CHECK(w.registry.attempts("run1").at(0).reason == FailReason::kOutOfMemory);
  auto other = Registry::open(w.path);
  other.apply_event("run2", RunEvent::kStopped);
  CHECK(w.registry.changed_elsewhere());
  CHECK_FALSE(w.registry.changed_elsewhere());
}

TEST_CASE("registry: tags and evaluations see their change as it will be, and are undone by an error",
          "[registry]") {
  Workspace w;
  CHECK(w.registry.set_tag("best", "run1", [&](const std::string& before) {
    CHECK(before.empty());
    CHECK(w.registry.find_run("run1")->tags == std::vector<std::string>{"best"});
  }) == "");
  const auto fail = [](const auto&...) { throw Error("the disk is full"); };
  CHECK_THROWS_WITH(w.registry.set_tag("best", "run2", fail), "the disk is full");
  CHECK_THROWS_WITH(w.registry.remove_tag("best", fail), "the disk is full");
  CHECK(w.registry.find_run("run1")->tags == std::vector<std::string>{"best"});
  CHECK(w.registry.remove_tag("none", fail) == "");  // nothing to be done
  w.registry.set_tag("other", "run1");
  CHECK(w.registry.remove_tag("best") == "run1");
  CHECK(w.registry.find_run("run1")->tags == std::vector<std::string>{"other"});
  CHECK_THROWS_WITH(w.registry.set_evaluation({"run1", "default", 88.5, 81.25, Json::object()}, fail),
                    "the disk is full");
  CHECK_FALSE(w.registry.find_run("run1")->f1);
}

TEST_CASE("registry: one that is gone while runs lie beside it is not made anew in silence", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  const auto refused = Catch::Contains("2 runs and 1 ensemble lie here, but registry.db is missing");
  std::filesystem::create_directories(dir / "sweep1");
  std::filesystem::create_directories(dir / "run3");  // its job has been handed in, and has not begun
  CHECK_FALSE(Registry::open_if_there(path));
  for (const char* name : {"run1/run.json", "run12/run.json", "ens1/ensemble.json", "other/run.json"}) {
    std::filesystem::create_directories((dir / name).parent_path());
    write_file(dir / name, "{}");
  }
  CHECK_THROWS_WITH(Registry::open(path), refused);
  CHECK_THROWS_WITH(Registry::open_existing(path), refused);
  CHECK_THROWS_WITH(Registry::open_read_only(path), refused);
  CHECK_THROWS_WITH(Registry::open_if_there(path), refused);
  CHECK_FALSE(std::filesystem::exists(path));
  write_file(path, "");
  CHECK_THROWS_WITH(Registry::open(path), Catch::Contains("but registry.db is empty"));
  CHECK(std::filesystem::file_size(path) == 0);
}

TEST_CASE("registry: ensembles are entries with members", "[registry]") {
  Workspace w;
  const EvaluationRecord evaluation{"", "default", 90.5, 80.25, {{"window", "overlap"}}};
  const auto ensemble =
      w.registry.add_ensemble({"mine", {{"method", "logits"}}, {"run2", "run1"}, evaluation}, 400);
  CHECK(ensemble.id == "ens1");
  CHECK(ensemble.state == RunState::kSucceeded);
  CHECK(ensemble.f1 == 90.5);
  CHECK(w.registry.evaluations("ens1").at(0).settings["window"] == "overlap");
  CHECK(w.registry.ensemble_members("ens1") == std::vector<std::string>{"run2", "run1"});
  CHECK_THROWS_AS(w.registry.add_ensemble({"bad", Json::object(), {"run99"}, {}}, 400), Error);
  CHECK(w.registry.list_runs({"", {}, true, false}).size() == 2);
  CHECK(w.registry.list_runs({"", {}, false, true}).size() == 1);
}

TEST_CASE("registry: an imported run is a run of no sweep, and the same content is there once",
          "[registry]") {
  Workspace w;
  RunSpec spec;
  spec.name = "theirs";
  spec.command.argv = {"imported", "content"};
  spec.train.seed = 0;
  spec.train = resolve(spec.train);
  const NewImport entry{
      spec, EvaluationRecord{"", "default", 90.5, 80.25, {}}, {{"", "predictions.json", 2, "hash"}}};
  std::string placed;
  const auto run = w.registry.add_import(entry, 400, [&](const RunRecord& seen) { placed = seen.id; });
  CHECK(run.id == "run3");
  CHECK(placed == "run3");
  CHECK(run.state == RunState::kSucceeded);
  CHECK(run.is_imported());
  CHECK_FALSE(run.is_ensemble());
  CHECK_FALSE(w.registry.find_run("run1").value().is_imported());
  CHECK(run.f1 == 90.5);
  CHECK(w.registry.artifacts("run3").at(0).path == "predictions.json");
  placed.clear();
  CHECK(w.registry.add_import(entry, 500, [&](const RunRecord& seen) { placed = seen.id; }).id == "run3");
  CHECK(placed.empty());
}

TEST_CASE("registry: an import whose files cannot be placed leaves nothing", "[registry]") {
  Workspace w;
  RunSpec spec;
  spec.command.argv = {"imported", "content"};
  CHECK_THROWS_AS(w.registry.add_import({spec, {}, {}}, 400, [](const auto&) { throw Error("full"); }),
                  Error);
  CHECK(w.registry.list_runs().size() == 2);
  CHECK_FALSE(w.registry.find_run_by_identity(config_hash(spec), spec.train.seed));
}

TEST_CASE("registry: a run is found by id, place or tag, else the newest or a near tag is named",
          "[registry]") {
  Workspace w;
  w.registry.add_ensemble({"mine", Json::object(), {"run1", "run2"}, {}}, 400);
  CHECK(w.registry.resolve_run("@").id == "run2");  // ensembles do not count
  CHECK(w.registry.resolve_run("@2").id == "run1");
  {
    SQLite::Database raw(w.path.string(), SQLite::OPEN_READWRITE);
    raw.exec("INSERT INTO tags VALUES ('best', 'run1')");
  }
  CHECK(w.registry.resolve_run("best").id == "run1");
  CHECK_THROWS_WITH(w.registry.resolve_run("bset"), "there is no run 'bset'; did you mean 'best'?");
  // An id is not guessed: a near one is another run.
  CHECK_THROWS_WITH(w.registry.resolve_run("run99"), "there is no run 'run99'; the newest is run2");
  CHECK_THROWS_WITH(w.registry.resolve_run("ens9"), "there is no ensemble 'ens9'; the newest is ens1");
  CHECK_THROWS_WITH(w.registry.resolve_run("sweep9"), "there is no sweep 'sweep9'; the newest is sweep1");
  CHECK_THROWS_AS(w.registry.resolve_run("@3"), Error);
}

TEST_CASE("registry: words mean runs, tags and sweeps, each run once and in their order", "[registry]") {
  Workspace w;
  w.registry.add_ensemble({"mine", Json::object(), {"run1", "run2"}, {}}, 400);
  w.registry.set_tag("best", "run2");
  const auto ids = [&](const std::vector<std::string>& words,
                       const std::function<bool(const RunRecord&)>& is_wanted = {}) {
    std::string text;
    for (const auto& run : w.registry.resolve_runs(words, is_wanted)) text += run.id + " ";
    return text;
  };
  CHECK(ids({"best", "ens1", "sweep1"}) == "run2 ens1 run1 ");
  const auto is_first = [](const RunRecord& run) { return run.seed == 1; };
  CHECK(ids({"sweep1", "run2"}, is_first) == "run1 run2 ");  // one that is named is wanted
  CHECK(ids({}).empty());
  CHECK_THROWS_WITH(ids({"run1", "sweep9"}), "there is no sweep 'sweep9'; the newest is sweep1");
}

TEST_CASE("registry: the schema's scripts are numbered without a gap", "[registry]") {
  int number = 0;
  for (const auto& script : embedded_migrations()) {
    INFO(script.name);
    CHECK(script.name.starts_with(fmt::format("{:04}_", ++number)));
    CHECK(script.name.ends_with(".sql"));
  }
  CHECK(number >= 3);
}

TEST_CASE("registry: an older file keeps its rows when it is brought up to date", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  {
    SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    for (size_t i = 0; i < 2; ++i) raw.exec(std::string(embedded_migrations()[i].content));
    raw.exec("PRAGMA user_version = 2");
    raw.exec("INSERT INTO runs (id, kind, name, state, created) VALUES ('run1', 'run', 'lr', 'running', 1)");
    raw.exec(
        "INSERT INTO attempts (run_id, attempt, token, supervisor_pid, started) VALUES ('run1', 2, 'tok', 7, "
        "5)");
  }
  const auto registry = Registry::open(path);
  CHECK(registry.find_run("run1")->state == RunState::kRunning);
  CHECK(registry.running_attempt("run1")->attempt == 2);
  CHECK(registry.running_attempt("run1")->token == "tok");
}

TEST_CASE("registry: several threads open a new file and write at once", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&path, t] {
      Registry registry = Registry::open(path);
      for (int i = 0; i < 5; ++i)
        registry.add_runs(registry.add_sweep("s", "f", "c", 1).id, {spec_with(1e-5, t * 100 + i)}, 1);
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> ids;
  for (const auto& run : Registry::open(path).list_runs()) ids.insert(run.id);
  CHECK(ids.size() == 20);
  SQLite::Database raw(path.string());
  CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
  CHECK(raw.execAndGet("PRAGMA user_version").getInt() == static_cast<int>(embedded_migrations().size()));
}

TEST_CASE("registry: a newer schema, no registry, something else: each with its own error", "[registry]") {
  const TempDir dir;
  { Registry::open(dir / "registry.db"); }
  {
    SQLite::Database raw((dir / "registry.db").string(), SQLite::OPEN_READWRITE);
    raw.exec("PRAGMA user_version = 999");
  }
  try {
    Registry::open(dir / "registry.db");
    FAIL("a newer schema was opened");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kRegistry);
    CHECK_THAT(e.what(), Catch::Contains("its schema is number 999"));
  }
  try {
    Registry::open_existing(dir / "none.db");
    FAIL("a missing registry was opened");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kNotFound);
  }
  write_file(dir / "text.db", std::string(4096, 'x'));
  CHECK_THROWS_WITH(Registry::open(dir / "text.db"), Catch::Contains("is damaged or no registry"));
  CHECK_THROWS_WITH(Registry::open(dir / "no-folder" / "registry.db"), Catch::Contains("cannot be opened: "));
}
