#include "reports/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/run_paths.h"
#include "core/text.h"
#include "formats/safetensors.h"
#include "reports/manifest.h"
#include "reports/submission.h"
#include "squad/answer_files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What one check has found so far.
struct Findings {
  std::vector<std::string> problems;
  std::vector<std::string> unproven;
};

/// Runs one check; what it throws is a problem like those it finds.
Check run_check(const std::string& rule, const std::string& passed,
                const std::function<void(Findings&)>& look) {
  Findings findings;
  try {
    look(findings);
  } catch (const std::exception& e) {
    findings.problems.emplace_back(e.what());
  }
  constexpr size_t kShown = 5;
  auto& said = findings.problems.empty() ? findings.unproven : findings.problems;
  if (said.empty()) return {rule, CheckResult::kPassed, passed};
  const size_t more = said.size() > kShown ? said.size() - kShown : 0;
  said.resize(said.size() - more);
  const std::string why = join(said, "; ") + (more > 0 ? fmt::format("; and {} more", more) : "");
  return {rule, findings.problems.empty() ? CheckResult::kUnproven : CheckResult::kFailed, why};
}

/// The folders of the root manifest's entries in its order, only names that stay inside the submission.
std::vector<std::string> entry_folders(const Json& manifest, const std::string& source) {
  std::vector<std::string> folders;
  for (const auto& entry : json_get<Json>(manifest, "entries", source)) {
    const auto folder = json_get<std::string>(entry, "folder", source);
    if (folder.empty() || folder[0] == '.' || folder.find('/') != std::string::npos) {
      throw Error(fmt::format("{}: '{}' is no name of an entry's folder", source, folder));
    }
    if (std::find(folders.begin(), folders.end(), folder) != folders.end()) {
      throw Error(fmt::format("{}: the entry '{}' is named twice", source, folder));
    }
    folders.push_back(folder);
  }
  return folders;
}

class Verifier {
 public:
  Verifier(fs::path folder, fs::path dev_file) : paths_{std::move(folder)}, dev_file_(std::move(dev_file)) {
    manifest_ = read_json(paths_.manifest());
    folders_ = entry_folders(manifest_, paths_.manifest().string());
  }

  std::vector<Check> run() const {
    return {run_check("files", "every file is there with its size and SHA-256, and no other",
                      [this](Findings& f) { check_files(f); }),
            run_check("ids", "folders stand for the same entries everywhere",
                      [this](Findings& f) { check_ids(f); }),
            run_check("scores", "scoring the predictions again gives eval.json byte for byte",
                      [this](Findings& f) { check_scores(f); }),
            run_check("summary", "scores, ranks and mean follow from the entries' eval.json",
                      [this](Findings& f) { check_summary(f); }),
            run_check("n-best", "each prediction is the first of its question's n-best",
                      [this](Findings& f) { check_nbest(f); }),
            run_check("checkpoints", "each has its weights, config and vocabulary",
                      [this](Findings& f) { check_checkpoints(f); })};
  }

 private:
  void check_files(Findings& findings) const {
    const std::string source = paths_.manifest().string();
    findings.problems = compare_files(files_from_json(json_get<Json>(manifest_, "files", source), source),
                                      list_files(paths_.root));
    for (const auto& folder : folders_) {
      const EntryPaths entry = paths_.entry(folder);
      const Json json = read_json(entry.manifest());
      const auto expected = files_from_json(json_get<Json>(json, "files", entry.manifest().string()),
                                            entry.manifest().string());
      for (const auto& problem : compare_files(expected, list_files(entry.folder))) {
        findings.problems.push_back(fmt::format("by {}'s own manifest {}", folder, problem));
      }
    }
  }

  void check_ids(Findings& findings) const {
    const Json summary = read_json(paths_.summary());
    const Json in_manifest = json_get<Json>(manifest_, "entries", "manifest.json");
    const Json in_summary = json_get<Json>(summary, "entries", "summary.json");
    if (in_manifest.size() != in_summary.size()) {
      throw Error(fmt::format("manifest.json has {} entries, summary.json {}", in_manifest.size(),
                              in_summary.size()));
    }
    std::set<std::string> ids;
    for (size_t i = 0; i < in_manifest.size(); ++i) {
      const auto id = json_get<std::string>(in_manifest[i], "id", "manifest.json");
      if (!ids.insert(id).second) findings.problems.push_back(fmt::format("{} is handed in twice", id));
      const Json own = read_json(paths_.entry(folders_[i]).manifest());
      if (json_get<std::string>(in_summary[i], "folder", "summary.json") != folders_[i] ||
          json_get<std::string>(in_summary[i], "id", "summary.json") != id ||
          json_get<std::string>(own, "id", "manifest.json") != id ||
          json_get<std::string>(own, "folder", "manifest.json") != folders_[i]) {
        findings.problems.push_back(fmt::format(
            "{} is bound to different entries by manifest.json, summary.json and its own manifest",
            folders_[i]));
      }
    }
  }

  void check_scores(Findings& findings) const {
    if (dev_file_.empty()) {
      findings.unproven.emplace_back("without the dev file (--dev) predictions cannot be scored again");
      return;
    }
    const Dataset dataset = read_dataset(dev_file_);
    if (!dataset.has_answers())
      throw Error(fmt::format("{}: it has questions without answers", dev_file_.string()));
    for (const auto& folder : folders_) {
      const RunPaths entry = paths_.entry(folder).results();
      const auto predictions =
          parse_predictions(read_file(entry.predictions()), entry.predictions().string());
      const std::string line = score_line(score_predictions(dataset, predictions));
      const std::string recorded = read_file(entry.eval());
      if (line == recorded) continue;
      findings.problems.push_back(fmt::format("{}: its predictions score {}, its eval.json says {}", folder,
                                              trim(line), trim(recorded)));
    }
    if (!findings.problems.empty() && !is_dev_file_of_summary()) {
      findings.problems.insert(
          findings.problems.begin(),
          fmt::format("{} is not the file that the entries were scored on, by the hash in summary.json",
                      dev_file_.string()));
    }
  }

  bool is_dev_file_of_summary() const {
    const Json evaluation = json_get<Json>(read_json(paths_.summary()), "evaluation", "summary.json");
    return json_get<std::string>(evaluation, "dev_sha256", "summary.json", "") == sha256_file(dev_file_);
  }

  void check_summary(Findings& findings) const {
    const Json summary = read_json(paths_.summary());
    const Json entries = json_get<Json>(summary, "entries", "summary.json");
    std::vector<double> f1;
    for (const auto& entry : entries) {
      const auto folder = json_get<std::string>(entry, "folder", "summary.json");
      if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end()) {
        throw Error(fmt::format("summary.json: '{}' is no entry of the manifest", folder));
      }
      const fs::path eval_file = paths_.entry(folder).results().eval();
      const Json eval = read_json(eval_file);
      f1.push_back(json_get<double>(eval, "f1", eval_file.string()));
      if (f1.back() != json_get<double>(entry, "f1", "summary.json") ||
          json_get<double>(eval, "exact_match", eval_file.string()) !=
              json_get<double>(entry, "exact_match", "summary.json")) {
        findings.problems.push_back(
            fmt::format("{}: summary.json and its eval.json give other scores", folder));
      }
      check_probability_score(folder, json_get<Json>(entry, "probability_score", "summary.json", nullptr),
                              findings);
      if (f1.size() > 1 && f1[f1.size() - 2] < f1.back())
        findings.problems.push_back(fmt::format("{} is ranked below a lower F1", folder));
    }
    const auto average = json_get<size_t>(summary, "average", "summary.json");
    if (average < 1 || average > f1.size())
      throw Error(fmt::format("summary.json: the mean of {} of {} entries", average, f1.size()));
    const double mean = mean_of_first(f1, average);
    const double said = json_get<double>(summary, "top3_mean", "summary.json");
    if (mean != said)
      findings.problems.push_back(fmt::format("the mean of the first {} F1 is {}, summary.json says {}",
                                              average, format_number(mean), format_number(said)));
  }

  /// That of the entry's answers to unseen questions, where it has any.
  void check_probability_score(const std::string& folder, const Json& said, Findings& findings) const {
    const fs::path file = paths_.entry(folder).unseen().nbest();
    const Json found =
        fs::exists(file) ? Json(probability_score(parse_nbest(read_file(file), file.string()))) : Json();
    if (found != said)
      findings.problems.push_back(
          fmt::format("{}: its unseen answers have the probability score {}, summary.json says {}", folder,
                      found.dump(), said.dump()));
  }

  void check_nbest(Findings& findings) const {
    for (const auto& folder : folders_) {
      const RunPaths entry = paths_.entry(folder).results();
      if (!fs::exists(entry.nbest())) {
        findings.unproven.push_back(fmt::format("{} has no nbest_predictions.json", folder));
        continue;
      }
      const auto predictions =
          parse_predictions(read_file(entry.predictions()), entry.predictions().string());
      const size_t others =
          count_nbest_differences(predictions, read_json(entry.nbest()), entry.nbest().string());
      if (others > 0)
        findings.problems.push_back(
            fmt::format("{}: n-best and predictions disagree in {} places", folder, others));
    }
  }

  void check_checkpoints(Findings& findings) const {
    for (const auto& folder : folders_) {
      const EntryPaths entry = paths_.entry(folder);
      const Json models = json_get<Json>(read_json(entry.manifest()), "models", entry.manifest().string());
      if (models.empty())
        findings.unproven.push_back(fmt::format("{} has no checkpoint in Hugging Face's layout", folder));
      for (const auto& model : models) {
        const auto member = json_get<std::string>(model, "member", entry.manifest().string());
        if (member.find('/') != std::string::npos || member == "..") {
          throw Error(fmt::format("{}: '{}' is no name of a member", entry.manifest().string(), member));
        }
        const CheckpointPaths checkpoint{entry.checkpoint(member)};
        for (const auto& file : {checkpoint.config(), checkpoint.vocab()}) {
          if (!fs::exists(file))
            findings.problems.push_back(
                fmt::format("{} is missing", file.lexically_relative(paths_.root).string()));
        }
        SafeTensors::read(checkpoint.weights());
      }
    }
  }

  SubmissionPaths paths_;
  fs::path dev_file_;
  Json manifest_;
  std::vector<std::string> folders_;
};

}  // namespace

std::string_view name_of(CheckResult result) {
  switch (result) {
    case CheckResult::kPassed:
      return "passed";
    case CheckResult::kFailed:
      return "failed";
    case CheckResult::kUnproven:
      return "unproven";
  }
  return "";
}

std::vector<Check> verify_submission(const fs::path& folder, const fs::path& dev_file) {
  if (!fs::exists(SubmissionPaths{folder}.manifest())) {
    throw Error(fmt::format("{}: there is no manifest.json in it", folder.string()),
                "give a folder that expctl package made", ErrorCode::kNotFound);
  }
  if (!dev_file.empty() && !fs::exists(dev_file)) {
    throw Error(fmt::format("{}: no such file", dev_file.string()),
                "--dev names the SQuAD file that the entries were scored on", ErrorCode::kNotFound);
  }
  try {
    return Verifier(folder, dev_file).run();
  } catch (const Error& e) {
    return {{"files", CheckResult::kFailed, e.what()}};  // no manifest to go by
  }
}

bool any_failed(const std::vector<Check>& checks) {
  for (const auto& check : checks) {
    if (check.result == CheckResult::kFailed) return true;
  }
  return false;
}

Json checks_json(const fs::path& folder, const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const auto& check : checks)
    list.push_back({{"rule", check.rule}, {"result", name_of(check.result)}, {"why", check.why}});
  return {{"schema_version", 1}, {"submission", folder.string()}, {"checks", list}};
}

}  // namespace expctl
