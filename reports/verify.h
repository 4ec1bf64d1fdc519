// Checks a submission folder from its files alone, as a judge would.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace expctl {

enum class CheckResult { kPassed, kFailed, kUnproven };

std::string_view name_of(CheckResult result);

struct Check {
  std::string rule;
  CheckResult result = CheckResult::kUnproven;
  std::string why;  ///< what was seen, or what is missing to prove it
};

/// Files and hashes against the manifests, ids, scores against predictions (with `dev_file`; "" leaves that
/// unproven), ranks and mean against scores, n-best against predictions, checkpoints. What cannot be read is
/// a failed check, never an exception; throws Error (kNotFound) only where `folder` has no manifest.json.
std::vector<Check> verify_submission(const std::filesystem::path& folder,
                                     const std::filesystem::path& dev_file);

bool any_failed(const std::vector<Check>& checks);

/// {"schema_version","submission","checks":[{"rule","result","why"}]}
Json checks_json(const std::filesystem::path& folder, const std::vector<Check>& checks);

}  // namespace expctl
