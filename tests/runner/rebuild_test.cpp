#include "runner/rebuild.h"

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "runner/file_lock.h"
#include "runner/record_check.h"
#include "runner/record_files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

RunSpec spec_of_seed(int64_t seed) {
  RunSpec spec;
  spec.name = "lr";
  spec.params = {{"learning_rate", 3e-5}};
  spec.train.seed = seed;
  spec.train = resolve(spec.train);
  return spec;
}

/// Everything that a registry can hold, as its writers would have left it: three runs of two sweeps, one
/// evaluated twice, and an ensemble of two made between them.
struct Life {
  TempDir dir;
  WorkspacePaths workspace{dir.path()};

  Life() {
    Registry registry = Registry::open(workspace.registry());
    const std::string content = "a sweep";
    const auto sweep = registry.add_sweep("lr", "/x/lr.toml", sha256(content), 100.5);
    make_folder(workspace.folder(sweep.id));
    write_file(workspace.sweep_file(sweep.id), content);
    registry.add_runs(sweep.id, {spec_of_seed(1), spec_of_seed(2)}, 100.5);
    for (const char* id : {"run1", "run2"}) finish(registry, id);
    make_ensemble(registry);
    const auto later = registry.add_sweep("lr", "/x/lr.toml", sha256("edited"), 200);
    make_folder(workspace.folder(later.id));
    write_file(workspace.sweep_file(later.id), "edited");
    registry.add_runs(later.id, {spec_of_seed(1), spec_of_seed(3)}, 200);
    for (const auto& id : {sweep.id, later.id}) write_sweep_files(registry, id, workspace);
  }

  void finish(Registry& registry, const std::string& id) const {
    const RunPaths paths{workspace.folder(id)};
    make_folder(paths.evaluation("128-46").folder);
    write_file(paths.metrics(),
               "{\"step\":1,\"epoch\":0.5,\"loss\":2.5,\"learning_rate\":1e-5,\"time\":10}\n");
    const std::string score = "{\"exact_match\": 81.25, \"f1\": 88.5}\n";
    write_file(paths.eval(), score);
    write_file(paths.evaluation("128-46").eval(), "{\"exact_match\": 80.0, \"f1\": 87.5}\n");
    registry.start_attempt(id, {id, 1, "token of " + id, 101, 0, "", FailReason::kNone});
    Outcome outcome;
    outcome.end = AttemptEnd::kSucceeded;
    outcome.ended = 160.25;
    AttemptResults results;
    results.metrics = {{1, 0.5, 2.5, 1e-5, 10}};
    results.evaluation = {id, "default", 88.5, 81.25, {{"max_seq_length", 384}}};
    results.artifacts = {{id, "eval.json", static_cast<int64_t>(score.size()), sha256(score)}};
    registry.finish_attempt(id, outcome, false, results);
    registry.set_evaluation({id, "128-46", 87.5, 80.0, {{"max_seq_length", 128}, {"precision", "fp32"}}});
    write_run_file(registry, id, paths);
  }

  void make_ensemble(Registry& registry) const {
    const Json description = {{"method", "logits"}, {"members", {{{"id", "run2"}}, {{"id", "run1"}}}}};
    const EvaluationRecord evaluation{"", "default", 90.5, 82.25, {{"window", "overlap"}}};
    registry.add_ensemble({"ensemble", description, {"run2", "run1"}, evaluation}, 180,
                          [&](const std::string& id) {
                            const RunPaths paths{workspace.folder(id)};
                            make_folder(paths.folder);
                            Json file = description;
                            file["id"] = id;
                            write_file(paths.ensemble(), json_text(file));
                            write_file(paths.eval(), "{\"exact_match\": 82.25, \"f1\": 90.5}\n");
                            write_run_file(registry, id, paths);
                          });
  }

  /// All rows.
  Json rows() const {
    const Registry registry = Registry::open_existing(workspace.registry());
    Json all = Json::object();
    for (const auto& sweep : registry.list_sweeps()) all[sweep.id] = to_json(sweep_file(registry, sweep));
    for (const auto& run : registry.list_runs()) {
      all[run.id] = run_file(registry.find_entry(run.id).value());
      all[run.id]["spec"] = run.spec;
      for (const auto& metric : registry.metrics(run.id))
        all[run.id]["steps"].push_back({metric.step, metric.loss});
    }
    return all;
  }

  void lose_registry() const { std::filesystem::remove(workspace.registry()); }
};

}  // namespace

TEST_CASE("rebuild: sweeps, runs, ensembles and evaluations are as they were", "[runner]") {
  const Life life;
  const Json before = life.rows();
  REQUIRE(before.size() == 6);
  CHECK(before["ens1"]["position"] == 3);
  CHECK(before["run3"]["position"] == 4);
  CHECK(before["run1"]["evaluations"].size() == 2);
  CHECK(check_records(Registry::open(life.workspace.registry()), life.workspace, true).empty());
  life.lose_registry();
  const Rebuilt rebuilt = rebuild_registry(life.workspace, false);
  CHECK(rebuilt.notes.empty());
  CHECK(rebuilt.set_aside.empty());
  CHECK(rebuilt.runs == 3);
  CHECK(rebuilt.ensembles == 1);
  CHECK(life.rows() == before);
  Registry registry = Registry::open(life.workspace.registry());
  CHECK(check_records(registry, life.workspace, true).empty());
  CHECK(registry.add_runs("sweep2", {spec_of_seed(9)}, 300).at(0).id == "run4");
  CHECK(registry.add_ensemble({"e", Json::object(), {"run1"}, {}}, 300).id == "ens2");
}

TEST_CASE("rebuild: a member of an ensemble whose folder is gone is said to be queued anew", "[runner]") {
  const Life life;
  std::filesystem::remove_all(life.workspace.folder("run1"));
  life.lose_registry();
  const Rebuilt rebuilt = rebuild_registry(life.workspace, false);
  REQUIRE(rebuilt.notes.size() == 1);  // of run3, which was never started, there is none
  CHECK(rebuilt.notes[0].where == "run1");
  CHECK_THAT(rebuilt.notes[0].what, Catch::Contains("ens1 has it as a member"));
  CHECK(Registry::open(life.workspace.registry()).find_run("run1")->state == RunState::kQueued);
}

TEST_CASE("rebuild: not while a sweep is at work, and not over a registry that is there", "[runner]") {
  const Life life;
  {
    const auto lock = FileLock::try_take(life.workspace.lock());
    REQUIRE(lock);
    CHECK_THROWS_WITH(rebuild_registry(life.workspace, true), Catch::Contains("a sweep is at work"));
  }
  CHECK_THROWS_WITH(rebuild_registry(life.workspace, false), Catch::Contains("is there already"));
  {
    const Registry open_elsewhere = Registry::open(life.workspace.registry());
    CHECK_THROWS_WITH(rebuild_registry(life.workspace, true), Catch::Contains("has it open"));
  }
  const Json before = life.rows();
  write_file(life.dir / ".registry.db.1.tmp-wal", "of a rebuild that was killed");
  CHECK(rebuild_registry(life.workspace, true).set_aside == life.dir / "registry.db.old-1");
  CHECK(rebuild_registry(life.workspace, true).set_aside == life.dir / "registry.db.old-2");
  CHECK(life.rows() == before);
  for (const auto& entry : std::filesystem::directory_iterator(life.dir.path()))
    CHECK_FALSE(entry.path().filename().string().starts_with("."));
}

TEST_CASE("rebuild: what an older expctl has left is taken as far as it goes, and said", "[runner]") {
  const Life life;
  for (const char* id : {"run1", "run2"}) {
    const RunPaths paths{life.workspace.folder(id)};
    Json file = read_json(paths.run());
    for (const char* key : {"position", "attempt_history", "evaluations", "artifacts"}) file.erase(key);
    write_file(paths.run(), json_text(file));
    write_file(paths.request(),
               json_text({{"attempt_token", "t"},
                          {"spec", to_json(spec_of_seed(id == std::string("run1") ? 1 : 2))}}));
  }
  std::filesystem::remove(life.workspace.folder("ens1") / "run.json");
  for (const char* id : {"sweep1", "sweep2"}) {
    std::filesystem::remove(life.workspace.sweep_record(id));
    std::filesystem::remove(life.workspace.sweep_runs(id));
  }
  life.lose_registry();
  const Rebuilt rebuilt = rebuild_registry(life.workspace, false);
  CHECK(rebuilt.runs == 2);  // run3 was never started: nothing tells of it
  CHECK(rebuilt.ensembles == 1);
  CHECK(rebuilt.notes.size() >= 4);
  const Registry registry = Registry::open(life.workspace.registry());
  CHECK(registry.find_run("run1")->f1 == 88.5);
  CHECK(registry.find_run("run1")->config_hash == config_hash(spec_of_seed(1)));
  CHECK(registry.attempts("run1").at(0).token == "t");
  CHECK(registry.metrics("run1").size() == 1);
  CHECK(registry.ensemble_members("ens1") == std::vector<std::string>{"run2", "run1"});
  CHECK(registry.find_sweep("sweep1")->name == "lr");
  CHECK(registry.faults().empty());
}
