// `expctl sweep FILE --replicate 8 --best 2`: more seeds for a sweep's best configs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep_file.h"
#include "registry/registry.h"

namespace expctl {

/// `seeds`, extended to `total` with the integers after the largest.
std::vector<int64_t> more_seeds(std::vector<int64_t> seeds, size_t total);

/// Of the runs that a file describes (nothing: there is none yet) the config hashes of the `best` configs,
/// the best first, by the mean F1 of the runs that have succeeded. Only the file's own seeds count: with
/// those that are added the order might change while they run, and a command that is typed again would choose
/// others. Throws Error (kUsage) where a run has not ended yet, or none is scored.
std::vector<std::string> best_configs(const std::vector<std::optional<RunRecord>>& runs, size_t best);

/// `specs`, which the file says, and after them the same configs' runs of more seeds, until each of the
/// `best` has `total`. What is there already is among them: the command can be typed again.
std::vector<RunSpec> with_more_seeds(const SweepSpec& sweep, const std::vector<RunSpec>& specs,
                                     const Registry& registry, size_t total, size_t best);

}  // namespace expctl
