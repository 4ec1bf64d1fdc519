// Which members with which weights become an ensemble: as typed, or by a search over a pool.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/member_combiner.h"
#include "ensemble/selection.h"

namespace expctl {

struct EnsembleChoice {
  std::vector<double> weights;  ///< [members]; 0 leaves one out
  Json selection = nullptr;     ///< the search, as ensemble.json holds it; null: chosen by hand
};

struct SearchPlan {
  SearchOptions options;
  double holdout = 0;  ///< of the questions, by article, that are only scored; 0: chosen on all
  size_t make = 1;     ///< how many of the best
};

/// What a search found, and how good it is where nobody chose.
struct SearchResult {
  std::vector<EnsembleChoice> choices;  ///< the best first
  std::string summary;                  ///< what to tell the person who asked
};

/// Throws Error where the data has no answers, the pool is too small, or fewer than `make` combinations were
/// found.
SearchResult search_members(MemberCombiner& combiner, const EnsembleMembers& pool, Method method,
                            const SearchPlan& plan);

}  // namespace expctl
