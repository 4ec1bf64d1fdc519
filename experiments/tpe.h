// The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kégl 2011), multivariate as in BOHB
// (Falkner, Klein, Hutter 2018): configs are drawn from a density of the good ones seen so far, and of these
// draws the one is best that is much likelier among the good than among the others. docs/search.md has the
// details, how they were chosen, and how it compares with Optuna's.
#pragma once

#include <optional>
#include <vector>

#include "experiments/search_space.h"

namespace expctl {

/// A config of which something is known. Higher scores are better; without one it is still at work.
struct Observation {
  Point point;  ///< snapped
  std::optional<double> score;
};

/// Points to try next, the most promising first. At least one of `seen` has a score. A pure function.
std::vector<Point> tpe_candidates(const SearchSpace& space, const std::vector<Observation>& seen,
                                  CounterRandom random);

}  // namespace expctl
