#include "reports/verify.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/enum_names.h"
#include "core/error.h"
#include "core/text.h"
#include "reports/verify_data.h"
#include "reports/verify_files.h"
#include "reports/verify_models.h"
#include "reports/verify_scores.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kNoContest = "none";

struct Rule {
  const char* name;
  const char* passed;
  void (*check)(const SubmissionView&, Findings&);
  bool (*applies)(const SubmissionView&) = [](const SubmissionView&) { return true; };
};

constexpr Rule kRules[] = {
    {"files", "every file is there with its size and SHA-256, and no other", check_files},
    {"items", "every entry has every item", check_items},
    {"ids", "folders stand for the same entries everywhere", check_ids},
    {"records", "logs, settings, checkpoints and answers are those that were recorded when the runs ended",
     check_records},
    {"scripts", "eval_only.* are those that the entries' settings give", check_scripts},
    {"evaluation", "all entries were evaluated alike", check_evaluation},
    {"scores", "scoring the predictions again gives eval.json byte for byte", check_scores},
    {"summary", "scores, ranks and mean follow from the entries' eval.json", check_summary},
    {"n-best",
     "each prediction is the first of its question's n-best, whose probabilities follow from its logits",
     check_nbest},
    {"unseen", "every entry answers every unseen question, evaluated as its dev questions were", check_unseen,
     [](const SubmissionView& view) {
       return !view.options.unseen.empty() || !view.manifest.value("unseen", Json()).is_null();
     }},
    {"checkpoints", "each can be loaded: sizes, vocabulary, finite weights", check_checkpoints},
    {"architecture", "sizes and vocabulary are those that the rules prescribe, the output layer is BERT's",
     check_architecture, [](const SubmissionView& view) { return !view.rules.architecture.empty(); }},
    {"init", "every run began from these weights", check_init},
    {"whole model trained", "no tensor is as it was before fine-tuning", check_trained,
     [](const SubmissionView& view) { return view.rules.whole_model_trained; }},
    {"training data", "every run was trained on this file", check_train_data},
    {"teachers", "no run learned from another model's answers", check_teachers,
     [](const SubmissionView& view) { return view.rules.name != kNoContest; }},
    {"dev data", "it is the published file", check_dev_data,
     [](const SubmissionView& view) { return view.rules.dev_data.is_prescribed(); }},
    {"dev data kept out", "no question and no context of it is in the training file", check_dev_data_kept_out,
     [](const SubmissionView& view) { return view.rules.dev_data_kept_out; }},
};

/// Names in a submission are somebody else's: nothing in them may steer a terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

/// Runs one check; what it throws is a problem like those it finds.
Check run_check(const Rule& rule, const SubmissionView& view) {
  Findings findings;
  try {
    rule.check(view, findings);
  } catch (const std::exception& e) {
    findings.problems.emplace_back(e.what());
  }
  constexpr size_t kShown = 5;
  auto& said = findings.problems.empty() ? findings.unproven : findings.problems;
  if (said.empty())
    return {rule.name, CheckResult::kPassed, findings.passed.empty() ? rule.passed : findings.passed};
  const size_t more = said.size() > kShown ? said.size() - kShown : 0;
  said.resize(said.size() - more);
  const std::string why = printable(join(said, "; ")) + (more > 0 ? fmt::format("; and {} more", more) : "");
  return {rule.name, findings.problems.empty() ? CheckResult::kUnproven : CheckResult::kFailed, why};
}

void check_given(const fs::path& path, const char* option, const char* what) {
  if (path.empty() || fs::exists(path)) return;
  throw Error(fmt::format("{}: no such file or folder", path.string()),
              fmt::format("{} names {}", option, what), ErrorCode::kNotFound);
}

/// The manifest of an entry names its run, that of a submission its entries.
bool is_entry(const fs::path& folder) {
  const fs::path file = SubmissionPaths{folder}.manifest();
  try {
    const Json manifest = fs::exists(file) ? read_json(file) : Json();
    return manifest.is_object() && manifest.contains("folder") && !manifest.contains("entries");
  } catch (const Error&) {
    return false;  // damaged, which the checks tell
  }
}

}  // namespace

std::string_view name_of(CheckResult result) {
  static constexpr EnumNames<CheckResult, 3> names = {{{CheckResult::kPassed, "passed"},
                                                       {CheckResult::kFailed, "failed"},
                                                       {CheckResult::kUnproven, "unproven"}}};
  return lookup_name(names, result);
}

Verification verify_submission(const SubmissionView& view) {
  Verification verification{printable(view.rules.name), {}};
  for (const auto& rule : kRules) {
    if (rule.applies(view)) verification.checks.push_back(run_check(rule, view));
  }
  for (const auto& statement : view.rules.unprovable)
    verification.checks.push_back({"no file can show", CheckResult::kUnproven, printable(statement)});
  return verification;
}

Verification verify_submission(const fs::path& folder, const VerifyOptions& options) {
  if (!fs::is_directory(folder))
    throw Error(fmt::format("{}: {}", folder.string(), fs::exists(folder) ? "no folder" : "no such folder"),
                "give a folder that expctl package made", ErrorCode::kNotFound);
  if (is_entry(folder)) {
    const fs::path parent = fs::absolute(folder / ".").lexically_normal().parent_path().parent_path();
    throw Error(
        fmt::format("{} is one entry of a submission", folder.string()),
        fmt::format("verify its parent: expctl verify {}", shell_quote(fs::proximate(parent).string())),
        ErrorCode::kNotFound);
  }
  if (!fs::exists(SubmissionPaths{folder}.manifest())) {
    throw Error(fmt::format("{}: there is no manifest.json in it", folder.string()),
                "give a folder that expctl package made", ErrorCode::kNotFound);
  }
  check_given(options.dev, "--dev", "the SQuAD file that the entries were scored on");
  check_given(options.train, "--train", "the SQuAD file that the runs were trained on");
  check_given(options.init, "--init", "the folder of weights that the runs began from");
  check_given(options.unseen, "--unseen", "the questions that unseen/ answers");
  if (!options.rules.empty()) find_contest_rules(options.rules);
  try {
    return verify_submission(SubmissionView::open(folder, options));
  } catch (const std::exception& e) {
    return {"", {{"files", CheckResult::kFailed, printable(e.what())}}};  // nothing to go by
  }
}

bool any_failed(const std::vector<Check>& checks) {
  return std::any_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.result == CheckResult::kFailed; });
}

Json checks_json(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const auto& check : checks)
    list.push_back({{"rule", check.rule}, {"result", name_of(check.result)}, {"why", check.why}});
  return list;
}

}  // namespace expctl
