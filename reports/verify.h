// Checks a submission folder from its files alone, as a judge would.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "reports/submission_view.h"

namespace expctl {

enum class CheckResult { kPassed, kFailed, kUnproven };

std::string_view name_of(CheckResult result);

struct Check {
  std::string rule;
  CheckResult result = CheckResult::kUnproven;
  std::string why;  ///< what was seen, or what is missing to prove it
};

struct Verification {
  std::string rules;  ///< the profile's name, "" where it could not be read
  std::vector<Check> checks;
};

/// Holds the folder to the rules (docs/submission.md has the list). What cannot be read is a failed check,
/// never an exception; throws Error (kNotFound) only where `folder` has no manifest.json, a file of `options`
/// is not there, or its rules are none.
Verification verify_submission(const std::filesystem::path& folder, const VerifyOptions& options);
/// The same of a folder that has been looked into.
Verification verify_submission(const SubmissionView& view);

bool any_failed(const std::vector<Check>& checks);

/// [{"rule","result","why"}]
Json checks_json(const std::vector<Check>& checks);

}  // namespace expctl
