#include "reports/mlflow_export.h"

#include <cmath>
#include <set>

#include "reports/mlflow_store.h"
#include "tests/reports/workspace.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

RunExport small_run() {
  RunExport entry;
  entry.run.id = "run1";
  entry.run.created = 1000;
  entry.run.started = 1001.25;
  entry.run.state = RunState::kRunning;
  entry.group = {"sweep1", "lr (sweep1)", "0123456789abcdef0123456789abcdef", 999};
  entry.identity = "89abcdef0123456789abcdef01234567";
  entry.parameters = {{"learning_rate", 3e-5}};
  return entry;
}

/// The run's folder in the store.
fs::path run_folder(const fs::path& store) {
  return store / mlflow_experiment_id(small_run().group) / small_run().identity;
}

}  // namespace

TEST_CASE("mlflow_export: a text of YAML is one line of ASCII that means the same", "[reports]") {
  CHECK(yaml_text("lr (sweep1)") == "\"lr (sweep1)\"");
  CHECK(yaml_text("a: 'b' # \"c\"\n\t\\") == R"("a: 'b' # \"c\"\n\t\\")");
  CHECK(yaml_text("\xc3\xa9 \xe2\x80\xa8") == R"("\u00e9 \u2028")");
  CHECK(yaml_text("\xf0\x9f\x98\x80!") == R"("\U0001f600!")");  // U+1F600, which JSON writes as two
  CHECK(yaml_text("\\ud83d\\ude00") == R"("\\ud83d\\ude00")");  // backslashes that were there
  CHECK(yaml_text("\x7f\x01") == R"("\u007f\u0001")");
  CHECK(yaml_text("\xff") == R"("\ufffd")");
}

TEST_CASE("mlflow_export: names that MLflow allows stay, others can be told apart", "[reports]") {
  CHECK(mlflow_names({"learning_rate", "a b-c.d:e", "evals/128-46/f1"}) ==
        Names{"learning_rate", "a b-c.d:e", "evals/128-46/f1"});
  CHECK(mlflow_names({"lr#1", "say \"x\"", "\xc3\xa9", "a\nb", ""}) ==
        Names{"lr_231", "say _22x_22", "_c3_a9", "a_0ab", "_"});
  CHECK(mlflow_names({"../x", "/abs", "a//b", ".", "..", ".hidden"}) ==
        Names{"_2e._2fx", "_2fabs", "a_2f_2fb", "_2e", "_2e.", "_2ehidden"});
  CHECK(mlflow_names({"a/b", "a", "c/d"}) == Names{"a_2fb", "a", "c/d"});  // a file is no folder
}

TEST_CASE("mlflow_export: the files of a run", "[reports]") {
  RunExport entry = small_run();
  entry.parameters["note"] = "two\nlines: '#'";
  entry.steps = {{"loss", 1, 1002.5, 0.1}, {"loss", 2, 1003, NAN}, {"loss", 3, 1004, -INFINITY}};
  entry.scores = {{"f1", 3, 1005, 88.61239393038588}};
  entry.run.tags = {"best"};
  const auto files = mlflow_run_files(entry, "/x/a b/run");
  CHECK(files.at("params/learning_rate") == "3e-05");
  CHECK(files.at("params/note") == "two\nlines: '#'");
  CHECK(files.at("metrics/loss") == "1002500 0.1 1\n1003000 nan 2\n1004000 -inf 3\n");
  CHECK(files.at("metrics/f1") == "1005000 88.61239393038588 3\n");
  CHECK(files.at("tags/mlflow.runName") == "run1");
  CHECK(files.at("tags/expctl.tag.best") == "best");
  CHECK_FALSE(files.contains("tags/expctl.reason"));
  CHECK_THAT(files.at("meta.yaml"),
             Contains("artifact_uri: \"file:///x/a%20b/run/artifacts\"\nend_time: null\n") &&
                 Contains("\nrun_id: '89abcdef0123456789abcdef01234567'\nrun_name: \"run1\"\n") &&
                 Contains("\nstart_time: 1001250\nstatus: 1\n"));
}

TEST_CASE("mlflow_export: every state has one of MLflow's", "[reports]") {
  RunExport entry = small_run();
  for (const auto& [state, status] :
       {std::pair(RunState::kQueued, 2), std::pair(RunState::kRunning, 1), std::pair(RunState::kSucceeded, 3),
        std::pair(RunState::kFailed, 4), std::pair(RunState::kStopped, 5), std::pair(RunState::kPruned, 5)}) {
    entry.run.state = state;
    CHECK_THAT(mlflow_run_files(entry, "/x").at("meta.yaml"),
               Contains("\nstatus: " + std::to_string(status) + "\n"));
  }
}

TEST_CASE("mlflow_export: an experiment's id has 18 digits whatever the hash", "[reports]") {
  ExportGroup group = small_run().group;
  for (const char* identity : {"00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff"}) {
    group.identity = identity;
    CHECK(mlflow_experiment_id(group).size() == 18);
    CHECK(mlflow_experiment_id(group)[0] != '0');
  }
}

TEST_CASE("mlflow_store: a second export replaces what was written and keeps what others added",
          "[reports]") {
  const TempDir dir;
  RunExport entry = small_run();
  entry.run.tags = {"best"};
  const fs::path log = dir / "train.log";
  write_file(log, "one");
  CHECK(MlflowStore(dir / "mlruns").write(entry, {{log, "train.log"}}) == run_folder(dir / "mlruns"));
  const fs::path run = run_folder(dir / "mlruns");
  CHECK(read_file(run / "artifacts/train.log") == "one");
  CHECK(fs::is_directory(run / "metrics"));  // MLflow wants the folder, empty or not
  write_file(run / "tags/mlflow.note.content", "mine");
  write_file(run.parent_path() / "meta.yaml", "name: renamed\n");
  make_folder(dir / "mlruns/5");
  write_file(dir / "mlruns/5/meta.yaml", "another's");
  entry.run.tags = {};
  entry.parameters["learning_rate"] = 1e-5;
  MlflowStore(dir / "mlruns").write(entry, {});
  CHECK(read_file(run / "tags/mlflow.note.content") == "mine");
  CHECK(read_file(run / "params/learning_rate") == "1e-05");
  CHECK_FALSE(fs::exists(run / "tags/expctl.tag.best"));
  CHECK_FALSE(fs::exists(run / "artifacts/train.log"));
  CHECK(read_file(run.parent_path() / "meta.yaml") == "name: renamed\n");
  CHECK(read_file(dir / "mlruns/5/meta.yaml") == "another's");
  CHECK_FALSE(fs::exists(run.parent_path() / ".drafts"));
}

TEST_CASE("mlflow_store: two workspaces' experiments of one name can be told apart", "[reports]") {
  const TempDir dir;
  RunExport entry = small_run();
  MlflowStore(dir / "m").write(entry, {});
  entry.group.identity = "fedcba98" + entry.group.identity.substr(8);
  for (int times = 0; times < 2; ++times) MlflowStore(dir / "m").write(entry, {});
  CHECK_THAT(read_file(dir / "m" / mlflow_experiment_id(entry.group) / "meta.yaml"),
             Contains("name: \"lr (sweep1) fedcba\"\n"));
}

TEST_CASE("mlflow_store: a folder that MLflow cannot read is refused untouched", "[reports]") {
  const TempDir dir;
  make_folder(dir / "m/photos");
  CHECK_THROWS_WITH(MlflowStore(dir / "m"), Contains("photos: it is no experiment"));
  write_file(dir / "file", "");
  CHECK_THROWS_WITH(MlflowStore(dir / "file"), Contains("is a file, not a folder"));
}

TEST_CASE("mlflow_store: which files go with a run", "[reports]") {
  const ScoredWorkspace workspace;
  auto registry = workspace.registry();
  const RunExport entry = read_run_export(registry, workspace.paths, *registry.find_run("run1"));
  const auto names = [&](ExportedArtifacts which) {
    std::set<std::string> all;
    for (const auto& file : exported_files(entry, which, {{"run1", "checkpoint/model.safetensors", 1, ""}}))
      all.insert(file.name);
    return all;
  };
  CHECK(names(ExportedArtifacts::kNone).empty());
  const auto small = names(ExportedArtifacts::kSmall), all = names(ExportedArtifacts::kAll);
  for (const char* name : {"train.log", "predictions.json", "eval.json", "metrics.jsonl", "sweep.toml"})
    CHECK(small.contains(name));
  CHECK_FALSE(small.contains("checkpoint/model.safetensors"));
  CHECK_FALSE(small.contains("nbest_predictions.json"));
  CHECK(all.contains("checkpoint/model.safetensors"));
  CHECK(all.contains("nbest_predictions.json"));
  CHECK(all.size() == small.size() + 2);
}
