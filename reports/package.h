// Makes the submission folder out of the registry's best entries (docs/submission.md says what is in it).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/run_paths.h"
#include "registry/registry.h"
#include "reports/submission.h"
#include "reports/verify.h"

namespace expctl {

struct PackageOptions {
  std::filesystem::path out;  ///< must not exist yet
  std::vector<std::string>
      from;  ///< runs, ensembles, sweeps to choose from; empty: everything that is scored
  size_t top = 5;
  size_t average = 3;
  std::filesystem::path dev;  ///< where the dev file lies now; "": where it lay when the runs were made
  std::filesystem::path source_archive;  ///< expctl's own source
  double now_s = 0;
  std::filesystem::path unseen;  ///< questions that nobody has seen the answers of; "": none
  /// Leaves what predicting `unseen` with this entry leaves in a new folder. May throw.
  std::function<void(const RunRecord&, const std::filesystem::path&)> predict = {};
};

struct Package {
  Submission submission;
  std::vector<Check> checks;  ///< of the folder as it lies there; none of them failed
};

/// The succeeded, scored entries that `from` means. Throws Error (kNotFound) for a word that means nothing.
std::vector<Candidate> find_candidates(const Registry& registry, const std::vector<std::string>& from);

/// Copies, writes, scores again and verifies in a folder beside `out`, which it becomes once nothing is
/// wrong. Throws Error and leaves nothing behind: a file of a run that is missing, a score that the
/// predictions do not give (kCheckFailed).
Package package_submission(const Registry& registry, const WorkspacePaths& workspace,
                           const PackageOptions& options);

}  // namespace expctl
