#include "reports/package.h"

#include <cmath>

#include "core/evaluation_settings.h"
#include "reports/candidates.h"
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

TEST_CASE("package: a run that had a teacher is said to have had one", "[reports]") {
  const ScoredWorkspace w;
  package(w, options_for(w));
  CHECK_THAT(read_file(w.dir / "submission/methodology.md"), !Contains("teacher"));
  w.add_sweep({4, 5}, {}, {"/runs/ens7/evals/train/logits.safetensors", "abc"});
  auto options = options_for(w);
  options.out = w.dir / "again";
  package(w, options);
  CHECK_THAT(read_file(w.dir / "again/methodology.md"),
             Contains("\n- run5: 0.25 of the loss; logits.safetensors, SHA-256 abc\n"));
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
      pack(), Contains("nothing was packed: the predictions of run1 score F1 100.0, the registry says 50.0"));
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
                    Contains("it is not there, or is not what run2 was scored on"));
}

TEST_CASE("package: an entry whose weights were cleared away is packed, and said to be unproven",
          "[reports]") {
  const ScoredWorkspace w;
  auto options = options_for(w);
  options.from = {"run3"};
  options.top = options.average = 1;
  fs::remove_all(RunPaths{w.paths.folder("run3")}.checkpoint());
  CHECK_THROWS_WITH(package(w, options), Contains("left a checkpoint, which is not handed in"));
  auto registry = w.registry();  // as gc does it
  registry.remove_artifacts("run3", "checkpoint",
                            [&] { write_run_file(registry, "run3", RunPaths{w.paths.folder("run3")}); });
  const Package made = package(w, options);
  CHECK_FALSE(any_failed(made.verification.checks));
  CHECK(std::any_of(made.verification.checks.begin(), made.verification.checks.end(),
                    [](const Check& check) { return check.result == CheckResult::kUnproven; }));
  CHECK_FALSE(fs::exists(w.dir / "submission/run1/eval_only.py"));
}

TEST_CASE(
    "package: of equals the higher probability score on unseen questions is ranked first, else the older",
    "[reports]") {
  ScoredWorkspace w;
  w.add_sweep({4, 5});  // run5 is right twice, as run2 is
  auto options = options_for(w);
  options.top = 1;
  options.average = 1;
  CHECK(package(w, options).submission.entries[0].record.id == "run2");
  options.out = w.dir / "with-unseen";
  options.unseen = w.dir / "unseen.json";
  write_file(options.unseen, kDevText);
  std::vector<std::string> predicted;
  options.predict = [&](const RunRecord& entry, const std::string& evaluation, const fs::path& folder) {
    CHECK(evaluation == "default");
    predicted.push_back(entry.id);
    make_folder(folder);
    const double first = entry.id == "run5" ? 1.0 : -1.0;
    const double probability = 1 / (1 + std::exp(-first));
    const Json answers = {
        {{"text", "a"}, {"probability", probability}, {"start_logit", first}, {"end_logit", 0.0}},
        {{"text", "b"}, {"probability", 1 - probability}, {"start_logit", 0.0}, {"end_logit", 0.0}}};
    write_file(RunPaths{folder}.predictions(), json_text({{"q1", "a"}, {"q2", "a"}}));
    write_file(RunPaths{folder}.nbest(), json_text({{"q1", answers}, {"q2", answers}}));
    write_file(RunPaths{folder}.inference_stats(), "{}");
  };
  const Package made = package(w, options);
  CHECK(made.submission.entries[0].record.id == "run5");
  CHECK(made.submission.entries[0].probability_score == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(predicted == std::vector<std::string>{"run2", "run5"});  // nobody else could be the first
  CHECK(fs::exists(w.dir / "with-unseen/run1/unseen/predictions.json"));
  CHECK(made.submission.considered.size() == 6);
}

TEST_CASE("package: an entry is left out on request, also one that has lost its predictions", "[reports]") {
  const ScoredWorkspace w;
  fs::remove(RunPaths{w.paths.folder("run3")}.predictions());
  auto options = options_for(w);
  CHECK_THROWS_WITH(package(w, options), Contains("run3: ") && Contains("predictions.json is missing"));
  CHECK(code_of([&] { package(w, options); }) == ErrorCode::kNotFound);
  options.except = {"run3"};
  CHECK(package(w, options).submission.considered.size() == 3);
}

TEST_CASE("package: rules that the runs do not keep are said, and nothing is packed", "[reports]") {
  const ScoredWorkspace w;
  auto options = options_for(w);
  options.rules = "hpc-ai-2020";
  const auto pack = [&] { package(w, options); };
  CHECK_THROWS_WITH(pack(),
                    Contains("nothing was packed: items: hpc-ai-2020 asks for 5 entries; there are 3"));
  CHECK(code_of(pack) == ErrorCode::kCheckFailed);
  CHECK_FALSE(fs::exists(options.out));
  options.rules = "nobody's";
  CHECK(code_of(pack) == ErrorCode::kNotFound);
}

TEST_CASE("package: a profile of one's own decides counts and folders, and travels with the submission",
          "[reports]") {
  const ScoredWorkspace w;
  auto options = options_for(w);
  options.top = options.average = 0;
  options.rules = w.dir / "own.json";
  write_file(options.rules, R"({"name": "own", "top": 2, "average": 1, "entry_folder": "team-{rank}"})");
  const Package made = package(w, options);
  CHECK(made.verification.rules == "own");
  CHECK(made.submission.entries.size() == 2);
  CHECK(fs::exists(w.dir / "submission/team-2/predictions.json"));
  fs::remove(options.rules);
  const Verification again = verify_submission(w.dir / "submission", {});
  CHECK(again.rules == "own");
  CHECK_FALSE(any_failed(again.checks));
}

TEST_CASE("package: without the training file its recorded hash is held to the prescribed one", "[reports]") {
  const ScoredWorkspace w;
  auto options = options_for(w);
  options.rules = w.dir / "own.json";
  const auto prescribe = [&](const std::string& sha256) {
    write_file(options.rules,
               json_text({{"name", "own"}, {"train_data", {{"file", "theirs.json"}, {"sha256", sha256}}}}));
  };
  prescribe(sha256_file(w.train));
  fs::remove(w.train);
  const Package made = package(w, options);
  CHECK_FALSE(any_failed(made.verification.checks));
  prescribe(std::string(64, 'a'));
  options.replace = true;
  CHECK_THROWS_WITH(package(w, options),
                    Contains("nothing was packed: training data: ") &&
                        Contains("the run was trained on another file than the theirs.json"));
}

TEST_CASE("package: what only a model of expctl-train's has is unproven of another program's run",
          "[reports]") {
  const ScoredWorkspace w;
  CommandSpec command;
  command.argv = {"train"};
  w.add_sweep({4, 5}, command);
  auto options = options_for(w);
  options.from = {"run4", "run5"};
  options.top = options.average = 2;
  options.rules = w.dir / "own.json";
  const auto ask_for = [&](const char* item) {
    write_file(options.rules, json_text({{"name", "own"}, {"items", {"predictions.json", item}}}));
  };
  ask_for("eval_only.py");
  const Package made = package(w, options);
  const auto items = std::find_if(made.verification.checks.begin(), made.verification.checks.end(),
                                  [](const Check& check) { return check.rule == "items"; });
  CHECK(items->result == CheckResult::kUnproven);
  CHECK_THAT(items->why, Contains("run1/eval_only.py is missing: the judges need"));
  ask_for("notes.txt");
  options.replace = true;
  CHECK_THROWS_WITH(package(w, options), Contains("items: run1/notes.txt is missing"));
}

TEST_CASE("package: the results of the rules stand in the summary, whose hash fits", "[reports]") {
  const ScoredWorkspace w;
  const Package made = package(w, options_for(w));
  const Json summary = read_json(w.dir / "submission/summary.json");
  CHECK(summary["rules"] == checks_json(made.verification.checks));
  CHECK(summary["rules"].size() == 12);
  for (const auto& check : verify_submission(w.dir / "submission", {w.dev, w.train, w.init, "", ""}).checks) {
    INFO(check.rule << ": " << check.why);
    CHECK(check.result == CheckResult::kPassed);
  }
  CHECK_THAT(read_file(w.dir / "submission/methodology.md"), Contains("| files | passed |"));
}

TEST_CASE("package: a run that failed is no candidate, whatever score is on record", "[reports]") {
  const ScoredWorkspace w;
  auto registry = w.registry();
  const auto sweep = registry.add_sweep("other", "/x/other.toml", "9", 1000);
  const std::string id = registry.add_runs(sweep.id, {w.spec(9)}, 1000).front().id;
  AttemptRecord attempt;
  attempt.run_id = id;
  attempt.token = id;
  registry.start_attempt(id, attempt);
  Outcome outcome;
  outcome.end = AttemptEnd::kFailed;
  outcome.reason = FailReason::kDiverged;
  registry.finish_attempt(id, outcome, false);
  registry.set_evaluation({id, "default", 100.0, 100.0, evaluation_settings(w.spec(9))});
  for (const auto& candidate : find_candidates(registry, {})) CHECK(candidate.record.id != id);
  CHECK(find_candidates(registry, {}).size() == 4);
}
