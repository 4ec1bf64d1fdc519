// Checks of a submission's answers and of every number that follows from them.
#pragma once

#include "reports/findings.h"
#include "reports/submission_view.h"

namespace expctl {

/// Scoring the predictions again gives eval.json byte for byte.
void check_scores(const SubmissionView& view, Findings& findings);
/// Scores, ranks, mean and probability scores in summary.json follow from the entries' files.
void check_summary(const SubmissionView& view, Findings& findings);
/// Each prediction is the first of its n-best, whose probabilities are the softmax of its logits.
void check_nbest(const SubmissionView& view, Findings& findings);
/// One evaluation (data, length, stride, window) has made all entries' answers.
void check_evaluation(const SubmissionView& view, Findings& findings);
/// Every entry answers every unseen question, evaluated as its dev questions were.
void check_unseen(const SubmissionView& view, Findings& findings);

}  // namespace expctl
