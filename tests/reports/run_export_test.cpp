#include "reports/run_export.h"

#include <cmath>

#include "tests/reports/workspace.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("run_export: the numbers of metrics.jsonl in the order of its lines", "[reports]") {
  const auto points = metric_points(
      "{\"step\":1,\"loss\":2.5,\"tokens\":96,\"time\":1001.5,\"note\":\"x\",\"done\":true}\n"
      "not JSON\n"
      "{\"step\":2,\"loss\":null}\n"
      "{\"event\":\"eval\",\"step\":2,\"f1\":50.25,\"time\":1003}\n"
      "{\"event\":\"diverged\",\"step\":2}\n"
      "{\"loss\":7}\n[1]\n"
      "{\"step\":3,\"lo",
      1000);
  REQUIRE(points.size() == 4);
  CHECK(points[0].name == "loss");
  CHECK(points[0].value == 2.5);
  CHECK(points[0].time == 1001.5);
  CHECK(points[1].name == "tokens");
  CHECK(std::isnan(points[2].value));
  CHECK(points[2].time == 1000);
  CHECK(points[3].name == "f1");
  CHECK(points[3].step == 2);
  CHECK(metric_points("", 0).empty());
}

TEST_CASE("run_export: every parameter of a training, the swept ones of a command", "[reports]") {
  const ScoredWorkspace workspace;
  auto run = *workspace.registry().find_run("run1");
  run.params["gpus"] = 2;
  const Json all = all_parameters(run);
  CHECK(all["epochs"] == 2.0);
  CHECK(all["learning_rate"] == 3e-5);
  CHECK(all["gpus"] == 2);
  CHECK(all["seed"] == run.seed);
  run.spec["command"]["argv"] = {"true"};
  CHECK(all_parameters(run) == Json{{"learning_rate", 3e-5}, {"gpus", 2}, {"seed", run.seed}});
}

TEST_CASE("run_export: scores stand at the last step, and other evaluations under their names", "[reports]") {
  const ScoredWorkspace workspace;
  auto registry = workspace.registry();
  registry.set_evaluation({"run2", "128-46", 12.5, 6.25, Json::object()});
  const RunRecord run = *registry.find_run("run2");
  write_file(RunPaths{workspace.paths.folder("run2")}.metrics(), "{\"step\":9,\"loss\":2}\n");
  RunExport entry = read_run_export(registry, workspace.paths, run);
  REQUIRE(entry.scores.size() == 2);
  CHECK(entry.scores[0].name == "f1");
  CHECK(entry.scores[0].value == *run.f1);
  CHECK(entry.scores[0].step == 9);
  CHECK(entry.scores[0].time == run.ended);
  REQUIRE(entry.evaluations.size() == 2);
  CHECK(entry.evaluations[0].name == "evals/128-46/f1");
  CHECK(entry.group.name == "lr (sweep1)");
  // A curve that ends there with the same value needs no second point.
  write_file(RunPaths{workspace.paths.folder("run2")}.metrics(),
             json_line({{"event", "eval"}, {"step", 9}, {"f1", *run.f1}, {"time", 1050}}) + "\n");
  entry = read_run_export(registry, workspace.paths, run);
  REQUIRE(entry.scores.size() == 1);
  CHECK(entry.scores[0].name == "exact_match");
}

TEST_CASE("run_export: an identity is of the run, wherever the workspace lies", "[reports]") {
  const ScoredWorkspace workspace;
  auto registry = workspace.registry();
  const auto identity = [&](const std::string& id) {
    return read_run_export(registry, {workspace.dir / "elsewhere"}, *registry.find_run(id)).identity;
  };
  CHECK(identity("run1").size() == 32);
  CHECK(identity("run1") != identity("run2"));
  CHECK(identity("run1") == read_run_export(registry, workspace.paths, *registry.find_run("run1")).identity);
}
