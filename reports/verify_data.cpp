#include "reports/verify_data.h"

#include <fmt/core.h>

#include "core/hash.h"
#include "core/text.h"
#include "reports/recorded_inputs.h"
#include "squad/official_data.h"
#include "squad/overlap.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void check_official(const SubmissionView& view, const fs::path& file, const OfficialData& official,
                    Findings& findings) {
  if (!official.is_prescribed()) return;
  switch (match_official(file, read_dataset(file), official)) {
    case OfficialMatch::kFile:
      return;
    case OfficialMatch::kArticles:
      findings.passed = fmt::format(
          "{} has the content of {} with its articles in another order, which may change the last digits of "
          "a "
          "score",
          file.string(), official.file);
      return;
    case OfficialMatch::kOther:
      findings.problems.push_back(fmt::format("{} is not the {} that {} prescribes, by its SHA-256",
                                              file.string(), official.file, view.rules.name));
  }
}

/// Without the file: by the records, where nothing but a file of this very hash will do.
void check_recorded_train_data(const SubmissionView& view, Findings& findings) {
  findings.unproven.emplace_back("without the training file (--train) only its recorded hash is known");
  const OfficialData& official = view.rules.train_data;
  if (official.sha256.empty() || !official.articles_sha256.empty()) return;
  for (const auto& entry : view.entries) {
    for (const auto& run : entry.runs()) {
      const std::string recorded = entry.spec(run).train_data.sha256;
      if (recorded.empty() || recorded == official.sha256) continue;
      findings.problems.push_back(fmt::format(
          "{}: the run was trained on another file than the {} that {} prescribes, by its SHA-256",
          view.name_of_file(entry.paths.training(run) / kSpecFile), official.file, view.rules.name));
    }
  }
}

}  // namespace

void check_train_data(const SubmissionView& view, Findings& findings) {
  if (view.options.train.empty()) {
    check_recorded_train_data(view, findings);
    return;
  }
  check_official(view, view.options.train, view.rules.train_data, findings);
  check_recorded_input(view, &RunSpec::train_data, sha256_file(view.options.train), view.options.train,
                       "was trained on", findings);
}

void check_teachers(const SubmissionView& view, Findings& findings) {
  for (const auto& entry : view.entries) {
    for (const auto& run : entry.runs()) {
      const RunSpec spec = entry.spec(run);
      const std::string where = view.name_of_file(entry.paths.training(run) / kSpecFile);
      if (spec.is_command())
        findings.unproven.push_back(
            fmt::format("{}: whether another program's run had a teacher its files do not say", where));
      else if (!spec.teacher.path.empty())
        findings.unproven.push_back(
            fmt::format("{}: the run learned from a teacher's logits (distillation = {}), which needs the "
                        "judges' approval",
                        where, format_number(spec.train.distillation)));
    }
  }
}

void check_dev_data(const SubmissionView& view, Findings& findings) {
  if (view.options.dev.empty()) {
    findings.unproven.emplace_back("without the dev file (--dev) nothing is known of it");
    return;
  }
  check_official(view, view.options.dev, view.rules.dev_data, findings);
}

void check_dev_data_kept_out(const SubmissionView& view, Findings& findings) {
  if (view.options.train.empty() || view.options.dev.empty()) {
    findings.unproven.emplace_back("without both files (--train, --dev) they cannot be compared");
    return;
  }
  const Overlap overlap = find_overlap(read_dataset(view.options.train), read_dataset(view.options.dev));
  if (overlap.any())
    findings.problems.push_back(
        overlap_text(view.options.train.string(), view.options.dev.string(), overlap));
}

}  // namespace expctl
