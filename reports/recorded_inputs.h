// Whether the runs of a submission had the input that a judge has.
#pragma once

#include <filesystem>
#include <string>

#include "reports/findings.h"
#include "reports/submission_view.h"

namespace expctl {

/// Compares the SHA-256 in each run's spec with that of `given`. `what_it_did` is what the run did with it:
/// "began from", "was trained on".
void check_recorded_input(const SubmissionView& view, Input RunSpec::*which, const std::string& sha256,
                          const std::filesystem::path& given, const char* what_it_did, Findings& findings);

}  // namespace expctl
