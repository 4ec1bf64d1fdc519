// What a submission is chosen from.
#pragma once

#include <string>
#include <vector>

#include "registry/registry.h"
#include "reports/submission.h"

namespace expctl {

/// The succeeded entries that `from` means (runs, ensembles, sweeps), all where it is empty; a sweep brings
/// the ensembles of its runs. Throws Error (kNotFound) for a word that means nothing.
std::vector<RunRecord> find_entries(const Registry& registry, const std::vector<std::string>& from);

/// Those of them that an evaluation of this name has scored, with its scores.
std::vector<Candidate> scored_by(const Registry& registry, const std::vector<RunRecord>& entries,
                                 const std::string& evaluation);

/// Both in one.
std::vector<Candidate> find_candidates(const Registry& registry, const std::vector<std::string>& from,
                                       const std::string& evaluation = kDefaultEvaluation);

}  // namespace expctl
