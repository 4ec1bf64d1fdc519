#include "reports/package.h"

#include "tests/reports/workspace.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

PackageOptions options_for(const ScoredWorkspace& w) {
  PackageOptions options;
  options.out = w.dir / "submission";
  options.top = 3;
  options.average = 2;
  options.source_archive = w.source;
  options.now_s = 3000;
  return options;
}

Package package(const ScoredWorkspace& w, const PackageOptions& options) {
  return package_submission(w.registry(), w.paths, options);
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.code();
  }
  FAIL("nothing was thrown");
  return ErrorCode::kError;
}

}  // namespace

TEST_CASE("package: the best entries by rank, an ensemble with a folder a member", "[reports]") {
  const ScoredWorkspace w;
  const Package made = package(w, options_for(w));
  const fs::path out = w.dir / "submission";
  // run2 is right twice; ens1 once and in part; run1 once.
  CHECK(made.submission.entries[0].record.id == "run2");
  CHECK(made.submission.entries[1].record.id == "ens1");
  CHECK(made.submission.entries[2].record.id == "run1");
  const double second = 100.0 * (1 + 2.0 / 3) / 2;
  CHECK(made.submission.top_mean == Approx((100 + second) / 2));
  for (const char* file : {"run1/checkpoint/model.safetensors",
                           "run1/logs/train.log",
                           "run1/logs/metrics.jsonl",
                           "run1/training/sweep.toml",
                           "run1/training/spec.json",
                           "run1/training/command.txt",
                           "run1/training/environment.json",
                           "run1/eval_only.sh",
                           "run1/eval_only.py",
                           "run1/predictions.json",
                           "run1/nbest_predictions.json",
                           "run1/eval.json",
                           "run1/inference_stats.json",
                           "run1/manifest.json",
                           "run2/checkpoint/run1/model.safetensors",
                           "run2/checkpoint/run2/model.safetensors",
                           "run2/logs/run2/train.log",
                           "run2/training/run1/sweep.toml",
                           "run2/training/ensemble.json",
                           "run2/inference_stats.json",
                           "run3/eval.json",
                           "summary.json",
                           "methodology.md",
                           "source.tar.gz",
                           "report.html",
                           "README.md",
                           "manifest.json"}) {
    INFO(file);
    CHECK(fs::is_regular_file(out / file));
  }
  CHECK(read_json(out / "run2/inference_stats.json")["total_inference_time_s"] == 3.0);
  CHECK((fs::status(out / "run1/eval_only.py").permissions() & fs::perms::owner_exec) != fs::perms::none);
  CHECK(fs::hard_link_count(out / "run1/checkpoint/model.safetensors") == 1);
}

TEST_CASE("package: the scripts are given the entry's models and settings", "[reports]") {
  const ScoredWorkspace w;
  package(w, options_for(w));
  const std::string one = read_file(w.dir / "submission/run1/eval_only.sh");
  CHECK_THAT(one, Contains("predict \"$here\"/checkpoint --set eval_max_seq_length=384 --set "
                           "eval_doc_stride=128 --set eval_window=overlap"));
  const std::string two = read_file(w.dir / "submission/run2/eval_only.sh");
  CHECK_THAT(two, Contains("\"$here\"/checkpoint/run1 \"$here\"/checkpoint/run2 --method logits --weights "
                           "1.0,2.0 --set"));
  const Json manifest = read_json(w.dir / "submission/run2/manifest.json");
  CHECK(json_line(manifest["models"]) ==
        R"([{"member":"run1","weight":1.0},{"member":"run2","weight":2.0}])");
}

TEST_CASE("package: the texts tell what the registry knows", "[reports]") {
  const ScoredWorkspace w;
  package(w, options_for(w));
  const std::string methodology = read_file(w.dir / "submission/methodology.md");
  CHECK_THAT(methodology, Contains("| run1 | run2 | 100.0 | 100.0 | learning_rate=3e-05 seed=2 |"));
  CHECK_THAT(methodology, Contains("among 3 runs of sweep1 and 1 ensemble.\n"));
  CHECK_THAT(methodology,
             Contains("run1 + 2 x run2") && Contains("- seed: 1, 2, 3") && Contains("3 runs: 3 succeeded."));
  const std::string report = read_file(w.dir / "submission/report.html");
  CHECK_THAT(report, Contains("<polyline") && Contains("<td>ens1</td>") &&
                         Contains("<div class=\"mean\">91.667</div>"));
}

TEST_CASE("package: all that could have been chosen is told, not only what was", "[reports]") {
  ScoredWorkspace w;
  w.add_sweep({4, 5});
  auto options = options_for(w);
  options.top = 1;
  options.average = 1;
  package(w, options);
  const std::string methodology = read_file(w.dir / "submission/methodology.md");
  CHECK_THAT(methodology, Contains("among 3 runs of sweep1, 2 runs of sweep2 and 1 ensemble.\n"));
  CHECK_THAT(methodology, Contains("## Sweep sweep1") && Contains("## Sweep sweep2"));
  options.out = w.dir / "by-hand";
  options.from = {"run1", "run2"};
  package(w, options);
  CHECK_THAT(
      read_file(w.dir / "by-hand/methodology.md"),
      Contains("among 2 runs of sweep1, to which `expctl package run1 run2` had narrowed the choice.\n"));
}

TEST_CASE("package: a command's logs are handed in, and its README promises no checkpoint", "[reports]") {
  ScoredWorkspace w;
  w.add_sweep({4}, CommandSpec{{"train.sh"}, "", "", "", "out/*.log"});
  const RunPaths run{w.paths.folder("run4")};
  fs::remove_all(run.checkpoint());
  make_folder(run.folder / "out");
  write_file(run.folder / "out/a.log", "epoch 1\n");
  auto options = options_for(w);
  options.from = {"run4"};
  options.top = 1;
  options.average = 1;
  package(w, options);
  CHECK(read_file(w.dir / "submission/run1/logs/out/a.log") == "epoch 1\n");
  CHECK_THAT(read_file(w.dir / "submission/README.md"), !Contains("eval_only"));
  options.out = w.dir / "native";
  options.from = {"run1"};
  package(w, options);
  CHECK_THAT(read_file(w.dir / "native/README.md"), Contains("runN/eval_only.py"));
}

TEST_CASE("package: only what is named is chosen from, a sweep brings the ensembles of its runs",
          "[reports]") {
  const ScoredWorkspace w;
  auto options = options_for(w);
  options.from = {"run1", "run3"};
  options.top = 2;
  CHECK(package(w, options).submission.entries[0].record.id == "run1");
  CHECK(find_candidates(w.registry(), {"sweep1"}).size() == 4);
  CHECK(find_candidates(w.registry(), {"ens1"}).size() == 1);
  CHECK(code_of([&] { find_candidates(w.registry(), {"run9"}); }) == ErrorCode::kNotFound);
}

TEST_CASE(
    "package: predictions that do not give the recorded score are not packed, and nothing is left behind",
    "[reports]") {
  const ScoredWorkspace w;
  write_file(RunPaths{w.paths.folder("run1")}.predictions(), R"({"q1": "blue", "q2": "green"})");
  const auto pack = [&] { package(w, options_for(w)); };
  CHECK_THROWS_WITH(
      pack(),
      Contains(
          "nothing was packed: scores: run3: its predictions score {\"exact_match\": 100.0, \"f1\": 100.0}"));
  CHECK(code_of(pack) == ErrorCode::kCheckFailed);
  for (const auto& entry : fs::directory_iterator(w.dir.path())) {
    CHECK_FALSE(entry.path().filename().string().find("submission") != std::string::npos);
  }
}

TEST_CASE("package: a file that is missing, a folder that is there, a dev file that has changed",
          "[reports]") {
  const ScoredWorkspace w;
  make_folder(w.dir / "submission");
  CHECK_THROWS_WITH(package(w, options_for(w)), Contains("submission is there already"));
  fs::remove(w.dir / "submission");
  fs::remove(RunPaths{w.paths.folder("run2")}.log());
  CHECK_THROWS_WITH(package(w, options_for(w)), Contains("run2: ") && Contains("train.log is missing"));
  write_file(w.dev, std::string(kDevText) + " ");
  CHECK_THROWS_WITH(package(w, options_for(w)),
                    Contains("it is not there, or has changed since run2 was scored on it"));
}

TEST_CASE("package: an entry without a checkpoint is packed, and said to be unproven", "[reports]") {
  const ScoredWorkspace w;
  fs::remove_all(RunPaths{w.paths.folder("run2")}.checkpoint());
  const Package made = package(w, options_for(w));
  CHECK_FALSE(any_failed(made.checks));
  CHECK(made.checks.back().result == CheckResult::kUnproven);
  CHECK_FALSE(fs::exists(w.dir / "submission/run1/eval_only.py"));
}
