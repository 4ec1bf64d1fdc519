// The answers of runs, scored again question by question, to compare them.
#pragma once

#include "core/run_paths.h"
#include "registry/registry.h"
#include "squad/scoring.h"

namespace expctl {

/// The dev data of a run; an ensemble's is that of its first member. Empty where there is none.
Input dev_data_of(const Registry& registry, const RunRecord& run);

/// "" where the data is there as it was when runs were scored on it; else why no answer can be scored on it.
std::string why_not_readable(const Input& dev);

/// Throws Error where the run's predictions are not there.
Score score_of_run(const Dataset& dev, const WorkspacePaths& workspace, const RunRecord& run);

}  // namespace expctl
