// Checks of a submission's files: whole, bound to their entries, and as the runs' records say.
#pragma once

#include "reports/findings.h"
#include "reports/submission_view.h"

namespace expctl {

/// Every file of the manifests is there with its size and hash, and no other.
void check_files(const SubmissionView& view, Findings& findings);
/// As many entries as the rules ask for, each with every item.
void check_items(const SubmissionView& view, Findings& findings);
/// Folders stand for the same entries everywhere, and no entry is handed in twice, under another id either.
void check_ids(const SubmissionView& view, Findings& findings);
/// Specs, seeds, logs, checkpoints and answers are those that training/<run>/run.json recorded when the run
/// ended.
void check_records(const SubmissionView& view, Findings& findings);
/// eval_only.* do what a judge is told, where the same build of expctl has written them.
void check_scripts(const SubmissionView& view, Findings& findings);

}  // namespace expctl
