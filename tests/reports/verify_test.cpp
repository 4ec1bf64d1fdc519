#include "reports/verify.h"

#include <map>

#include "reports/manifest.h"
#include "reports/package.h"
#include "tests/reports/workspace.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// A good submission of three entries, to be spoilt.
struct Made {
  ScoredWorkspace workspace;
  fs::path folder = workspace.dir / "submission";

  Made() {
    PackageOptions options;
    options.out = folder;
    options.top = 3;
    options.source_archive = workspace.source;
    package_submission(workspace.registry(), workspace.paths, options);
  }

  std::map<std::string, Check> verify(bool with_dev = true) const {
    std::map<std::string, Check> by_rule;
    VerifyOptions options;
    if (with_dev) options = {workspace.dev, workspace.train, workspace.init, "", ""};
    for (const auto& check : verify_submission(folder, options).checks) by_rule[check.rule] = check;
    return by_rule;
  }

  /// What a cheat does after changing a file: all hashes made to fit again.
  void mend_manifests() const {
    for (const char* part : {"run1", "run2", "run3", "."}) {
      const fs::path file = folder / part / "manifest.json";
      Json manifest = read_json(file);
      manifest["files"] = files_json(list_files(folder / part));
      write_file(file, json_text(manifest));
    }
  }
};

bool passed(const Check& check) {
  return check.result == CheckResult::kPassed;
}

}  // namespace

TEST_CASE("verify: a good submission passes everything, and what files are not at hand for is unproven",
          "[reports]") {
  const Made made;
  const auto with = made.verify(), without = made.verify(false);
  CHECK(with.size() == 12);
  for (const auto& [rule, check] : with) {
    INFO(rule << ": " << check.why);
    CHECK(passed(check));
    const bool needs_more = rule == "scores" || rule == "init" || rule == "training data";
    CHECK((needs_more ? without.at(rule).result == CheckResult::kUnproven : passed(without.at(rule))));
  }
}

TEST_CASE("verify: a file that is changed, missing or too much", "[reports]") {
  const Made made;
  write_file(made.folder / "methodology.md", "other");
  fs::remove(made.folder / "run2/logs/run1/train.log");
  write_file(made.folder / "run3/extra", "");
  const Check files = made.verify().at("files");
  CHECK(files.result == CheckResult::kFailed);
  CHECK_THAT(files.why, Contains("methodology.md has another content") &&
                            Contains("run2/logs/run1/train.log is missing") &&
                            Contains("run3/extra is not in the manifest") &&
                            Contains("by run3's own manifest extra is not in the manifest"));
}

TEST_CASE("verify: better scores than the predictions give are found although every hash fits", "[reports]") {
  const Made made;
  const std::string perfect = "{\"exact_match\": 100.0, \"f1\": 100.0}\n";
  write_file(made.folder / "run3/eval.json", perfect);
  made.mend_manifests();
  auto checks = made.verify();
  CHECK(passed(checks.at("files")));
  CHECK(checks.at("scores").result == CheckResult::kFailed);
  CHECK_THAT(
      checks.at("scores").why,
      Contains("run3: its predictions score {\"exact_match\": 50.0, \"f1\": 50.0}, its eval.json says"));
  CHECK_THAT(checks.at("summary").why, Contains("run3: summary.json and its eval.json give other scores") &&
                                           Contains("run3 is ranked below a lower F1"));
}

TEST_CASE("verify: predictions that are not the n-best's first, and a mean that is not the mean",
          "[reports]") {
  const Made made;
  write_file(made.folder / "run3/predictions.json", R"({"q1": "blue", "q2": "green"})");
  Json summary = read_json(made.folder / "summary.json");
  summary["top3_mean"] = 99.9;
  write_file(made.folder / "summary.json", json_text(summary));
  made.mend_manifests();
  const auto checks = made.verify();
  CHECK_THAT(checks.at("n-best").why, Contains("run3: n-best and predictions disagree in 1 place"));
  CHECK(checks.at("summary").result == CheckResult::kFailed);
  CHECK_THAT(checks.at("summary").why, Contains("summary.json says 99.9"));
}

TEST_CASE("verify: folders bound to other ids", "[reports]") {
  const Made made;
  Json manifest = read_json(made.folder / "run1/manifest.json");
  manifest["id"] = "run3";
  write_file(made.folder / "run1/manifest.json", json_text(manifest));
  made.mend_manifests();
  const auto checks = made.verify();
  CHECK(checks.at("ids").result == CheckResult::kFailed);
  CHECK(passed(checks.at("files")));
}

TEST_CASE("verify: a damaged checkpoint", "[reports]") {
  const Made made;
  fs::resize_file(made.folder / "run2/checkpoint/run1/model.safetensors", 12);
  fs::remove(made.folder / "run1/checkpoint/vocab.txt");
  made.mend_manifests();
  const Check check = made.verify().at("checkpoints");
  CHECK(check.result == CheckResult::kFailed);
  CHECK_THAT(check.why, Contains("model.safetensors"));
}

TEST_CASE("verify: what cannot be read is a failed check, and a folder without a manifest not found",
          "[reports]") {
  const Made made;
  write_file(made.folder / "summary.json", "{");
  write_file(made.folder / "run1/nbest_predictions.json", "[1]");
  const auto checks = made.verify();
  CHECK(checks.at("summary").result == CheckResult::kFailed);
  CHECK(checks.at("ids").result == CheckResult::kFailed);
  CHECK(checks.at("n-best").result == CheckResult::kFailed);
  CHECK_THROWS_WITH(verify_submission(made.workspace.dir.path(), {}),
                    Contains("there is no manifest.json in it"));
  CHECK_THROWS_WITH(verify_submission(made.folder, {"/no/such", "", "", "", ""}), Contains("no such file"));
}

TEST_CASE("verify: a manifest that names a folder outside is refused", "[reports]") {
  const Made made;
  Json manifest = read_json(made.folder / "manifest.json");
  manifest["entries"][0]["folder"] = "../runs/run1";
  write_file(made.folder / "manifest.json", json_text(manifest));
  const auto refused = verify_submission(made.folder, {}).checks;
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].result == CheckResult::kFailed);
  CHECK_THAT(refused[0].why, Contains("is no name of an entry's folder"));
}

TEST_CASE("verify: the same entry handed in several times", "[reports]") {
  const Made made;
  for (const char* file : {"manifest.json", "summary.json"}) {
    Json json = read_json(made.folder / file);
    json["entries"][1] = json["entries"][0];
    write_file(made.folder / file, json_text(json));
  }
  const auto checks = made.verify();
  CHECK(checks.at("files").result == CheckResult::kFailed);
  CHECK_THAT(checks.at("files").why, Contains("the entry 'run1' is named twice"));
}

TEST_CASE("verify: another dev file is said to be another", "[reports]") {
  const Made made;
  std::string text = kDevText;
  write_file(made.workspace.dev, text.replace(text.find("\"blue\""), 6, "\"red\""));
  const Check scores = made.verify().at("scores");
  CHECK(scores.result == CheckResult::kFailed);
  CHECK_THAT(scores.why, Contains("is not the file that the entries were scored on"));
}

TEST_CASE("verify: under a contest's rules a run with a teacher needs the judges' approval", "[reports]") {
  const Made made;
  const fs::path rules = made.workspace.dir / "rules.json";
  write_file(rules, R"({"name": "mine"})");
  const auto teachers = [&] {
    for (const auto& check : verify_submission(made.folder, {{}, {}, {}, {}, rules.string()}).checks) {
      if (check.rule == "teachers") return check;
    }
    FAIL("no such check");
    return Check{};
  };
  CHECK(passed(teachers()));
  CHECK_FALSE(made.verify().contains("teachers"));  // no contest
  const auto changed = [&](const std::function<void(Json&)>& change) {
    const fs::path file = made.folder / "run1/training/spec.json";
    Json spec = read_json(file);
    change(spec);
    write_file(file, json_text(spec));
    return teachers();
  };
  const Check with_teacher = changed([](Json& spec) {
    spec["data"]["teacher"] = {{"path", "/l"}, {"sha256", "1"}};
    spec["train"]["distillation"] = 0.5;
  });
  CHECK(with_teacher.result == CheckResult::kUnproven);
  CHECK_THAT(with_teacher.why, Contains("distillation = 0.5") && Contains("needs the judges' approval"));
  CHECK(changed([](Json& spec) { spec["command"]["argv"] = {"x"}; }).result == CheckResult::kUnproven);
}
