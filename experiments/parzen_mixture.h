// A density over a search space: a mixture of one kernel for each of some points and of the uniform density,
// which counts as much as a point. Private to experiments/.
//
// A kernel is a product over the keys. For a range it is a Gaussian cut off at 0 and 1; of integers, what of
// it falls into the cell of each. For a list it is 1/(points + 1) at each value and 1 more at the point's
// own, normalised.
#pragma once

#include <vector>

#include "experiments/search_space.h"

namespace expctl {

class ParzenMixture {
 public:
  /// `weights` of the points, relative to each other. `space` outlives it.
  ParzenMixture(const SearchSpace& space, std::vector<Point> points, const std::vector<double>& weights);

  /// Snapped.
  Point draw(CounterRandom& random) const;
  /// Of integers and lists a probability, of other numbers a density over [0, 1]. `point` is snapped.
  double log_density(const Point& point) const;

 private:
  double log_factor(size_t axis, size_t kernel, double coordinate) const;
  double draw_coordinate(size_t axis, size_t kernel, CounterRandom& random) const;
  /// What a kernel has at the value of a list that its point has, and at each other one.
  double at_value(size_t axis) const;
  double at_others(size_t axis) const;
  /// Of each point, from the distances to its neighbours along the axis.
  std::vector<double> widths_along(size_t axis) const;

  const SearchSpace& space_;
  std::vector<Point> points_;
  std::vector<double> shares_;               ///< of the kernels; what is left is the uniform density's
  std::vector<std::vector<double>> widths_;  ///< by axis and kernel; empty for a list
  std::vector<std::vector<double>> masses_;  ///< how much of the Gaussian lies between 0 and 1
};

}  // namespace expctl
