// Makes the submission folder out of the registry's best entries (docs/submission.md says what is in it).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/contest_rules.h"
#include "core/run_paths.h"
#include "registry/registry.h"
#include "reports/submission.h"
#include "reports/verify.h"

namespace expctl {

struct PackageOptions {
  std::filesystem::path out;
  bool replace = false;  ///< a submission that lies there gives way to the new one once that is whole
  std::vector<std::string>
      from;  ///< runs, ensembles, sweeps to choose from; empty: everything that is scored
  std::vector<std::string> except;  ///< runs and ensembles that are not to be chosen
  std::string rules;                ///< a profile's name or file; "": the one that the runs were made under
  size_t top = 0;                   ///< 0: as the rules say, else kUsualTop
  size_t average = 0;               ///< 0: as the rules say, else kUsualAverage or `top` where that is less
  std::string evaluation;           ///< the one that ranks; "": as the rules say
  std::filesystem::path dev;        ///< where the dev file lies now; "": where it lay when the runs were made
  std::filesystem::path source_archive;  ///< expctl's own source
  double now_s = 0;
  std::filesystem::path unseen;  ///< questions that nobody has seen the answers of; "": none
  /// Leaves what predicting `unseen` with this entry leaves in a new folder, evaluated as the evaluation of
  /// that name was. May throw.
  std::function<void(const RunRecord&, const std::string&, const std::filesystem::path&)> predict = {};
  std::function<void()> between_files = [] {};  ///< what it throws undoes all; called by several threads
};

struct Package {
  Submission submission;
  Verification verification;  ///< of the folder as it lies there; no check failed
  VerifyOptions verified_with;
};

/// Scores every candidate's predictions again, chooses, copies, writes and verifies in a folder beside `out`,
/// which it becomes once nothing is wrong. Throws Error and leaves all as it was: a folder that is there, a
/// file of a run that is missing, a score that the predictions do not give, a rule that is broken
/// (kCheckFailed).
Package package_submission(const Registry& registry, const WorkspacePaths& workspace,
                           const PackageOptions& options);

}  // namespace expctl
