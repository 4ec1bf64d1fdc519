// Runs in order of merit, as a table and as JSON.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "registry/registry.h"

namespace expctl {

/// "learning_rate=3e-05 seed=42"; of an ensemble "run3 + run5", with weights where they differ.
std::string params_text(const RunRecord& run);

/// The best F1 first; of equals the better exact match, then the older. Unscored ones come last, in their
/// order.
std::vector<RunRecord> ranked(std::vector<RunRecord> runs);

enum class RunSort { kId, kF1, kExactMatch, kState, kName };
/// The names that --sort takes, in the order of RunSort.
const std::vector<std::string>& run_sort_names();

/// By creation for kId; scores fall, names rise; of equals the older first.
std::vector<RunRecord> sorted(std::vector<RunRecord> runs, RunSort sort);

/// Rank, id, state, F1, EM, name and parameters of `runs` in the order given.
std::string runs_table(const std::vector<RunRecord>& runs);

/// {"id","state","reason","name","params","seed","f1","exact_match"}: what every list of runs holds.
Json run_json(const RunRecord& run);
Json runs_json(const std::vector<RunRecord>& runs);

}  // namespace expctl
