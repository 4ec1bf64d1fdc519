// Checks of a submission's checkpoints, beside what they began from.
#pragma once

#include "reports/findings.h"
#include "reports/submission_view.h"

namespace expctl {

/// Every model can be loaded, its weights are finite numbers, and its span head is the one that its runs were
/// to train.
void check_checkpoints(const SubmissionView& view, Findings& findings);
/// config.json has the sizes that the rules prescribe, vocab.txt their vocabulary. A span head other than the
/// linear one is unproven, with what the rules say of it.
void check_architecture(const SubmissionView& view, Findings& findings);
/// Every run began from --init, which is what the rules prescribe.
void check_init(const SubmissionView& view, Findings& findings);
/// No tensor is as it was in --init, or of a head that --init lacks as the run's seed made it: nothing was
/// frozen. Source of the exemptions: gradients that are exactly zero (attention key biases, the bias of
/// qa_outputs, and where that is all of the head, the last LayerNorm's bias).
void check_trained(const SubmissionView& view, Findings& findings);

}  // namespace expctl
