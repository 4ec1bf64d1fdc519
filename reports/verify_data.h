// Checks of the data that a submission's runs were trained and scored on.
#pragma once

#include "reports/findings.h"
#include "reports/submission_view.h"

namespace expctl {

/// Every run was trained on --train, which is the file that the rules prescribe.
void check_train_data(const SubmissionView& view, Findings& findings);
/// No run learned from a teacher, so far as the files say; what a contest thinks of one they cannot.
void check_teachers(const SubmissionView& view, Findings& findings);
/// --dev is the file that the rules prescribe.
void check_dev_data(const SubmissionView& view, Findings& findings);
/// No question and no context of --dev is in --train.
void check_dev_data_kept_out(const SubmissionView& view, Findings& findings);

}  // namespace expctl
