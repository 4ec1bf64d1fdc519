// Looks into a sweep's data and weights before anything is started, so that no run has to fail for what can
// be known.
#pragma once

#include <string>
#include <vector>

#include "core/run_spec.h"

namespace expctl {

/// Reads what the runs of one sweep name as a run would. Throws Error for what no run could use: a damaged or
/// unfit file, answers that do not stand where they should, dev data that shares content with training data
/// under contest rules, dev data that cannot be scored where scores decide what is trained (`needs_scores`,
/// or early stopping). Returns warnings.
std::vector<std::string> check_inputs(const std::vector<RunSpec>& specs, bool needs_scores = false);

}  // namespace expctl
