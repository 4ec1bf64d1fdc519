#include "experiments/parzen_mixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace expctl {
namespace {

constexpr double kUniformWeight = 1;  ///< of the uniform density; the points have 1 on average

/// Of a standard Gaussian between a and b, by the tail that loses no digits.
double gaussian_mass(double a, double b) {
  if (a > 0) return gaussian_mass(-b, -a);
  return 0.5 * (std::erfc(-b * M_SQRT1_2) - std::erfc(-a * M_SQRT1_2));
}

double log_sum(const std::vector<double>& logs) {
  const double highest = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (const double x : logs) sum += std::exp(x - highest);
  return highest + std::log(sum);
}

}  // namespace

ParzenMixture::ParzenMixture(const SearchSpace& space, std::vector<Point> points,
                             const std::vector<double>& weights)
    : space_(space), points_(std::move(points)), widths_(space.size()), masses_(space.size()) {
  const auto count = static_cast<double>(points_.size());
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (const double weight : weights) shares_.push_back(weight / sum * count / (count + kUniformWeight));
  for (size_t axis = 0; axis < space.size(); ++axis) {
    if (!space[axis].range) continue;
    widths_[axis] = widths_along(axis);
    for (size_t k = 0; k < points_.size(); ++k) {
      const double at = points_[k][axis], width = widths_[axis][k];
      masses_[axis].push_back(gaussian_mass(-at / width, (1 - at) / width));
    }
  }
}

std::vector<double> ParzenMixture::widths_along(size_t axis) const {
  const size_t count = points_.size();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return points_[a][axis] < points_[b][axis]; });
  const auto at = [&](size_t i) { return points_[order[i]][axis]; };
  const double narrowest = 1 / std::min(100.0, 2.0 + static_cast<double>(count));
  std::vector<double> widths(count);
  for (size_t i = 0; i < count; ++i) {
    double distance = 0;
    if (i > 0) distance = at(i) - at(i - 1);
    if (i + 1 < count) distance = std::max(distance, at(i + 1) - at(i));
    if (count == 1) distance = std::max(at(0), 1 - at(0));
    widths[order[i]] = std::clamp(distance, narrowest, 1.0);
  }
  return widths;
}

double ParzenMixture::at_others(size_t axis) const {
  const double unseen = 1 / (static_cast<double>(points_.size()) + 1);
  return unseen / (1 + unseen * static_cast<double>(space_[axis].values.size()));
}

double ParzenMixture::at_value(size_t axis) const {
  return 1 - at_others(axis) * static_cast<double>(space_[axis].values.size() - 1);
}

double ParzenMixture::log_factor(size_t axis, size_t kernel, double coordinate) const {
  const double centre = points_[kernel][axis];
  if (!space_[axis].range) return std::log(coordinate == centre ? at_value(axis) : at_others(axis));
  const double width = widths_[axis][kernel];
  if (space_[axis].range->is_integer) {
    const Cell cell = cell_of(*space_[axis].range, coordinate);
    constexpr double kLeast = 1e-300;  // far out, where nothing is left of it
    const double mass = gaussian_mass((cell.low - centre) / width, (cell.high - centre) / width);
    return std::log(std::max(mass, kLeast) / masses_[axis][kernel]);
  }
  const double z = (coordinate - centre) / width;
  return -0.5 * z * z - std::log(width * std::sqrt(2 * M_PI) * masses_[axis][kernel]);
}

double ParzenMixture::log_density(const Point& point) const {
  double uniform = std::log(kUniformWeight / (static_cast<double>(points_.size()) + kUniformWeight));
  for (size_t axis = 0; axis < space_.size(); ++axis) {
    const auto& range = space_[axis].range;
    if (!range) uniform -= std::log(static_cast<double>(space_[axis].values.size()));
    if (range && range->is_integer) uniform += std::log(cell_of(*range, point[axis]).width());
  }
  std::vector<double> logs = {uniform};
  for (size_t k = 0; k < points_.size(); ++k) {
    double product = std::log(shares_[k]);
    for (size_t axis = 0; axis < space_.size(); ++axis) product += log_factor(axis, k, point[axis]);
    logs.push_back(product);
  }
  return log_sum(logs);
}

double ParzenMixture::draw_coordinate(size_t axis, size_t kernel, CounterRandom& random) const {
  const double centre = points_[kernel][axis];
  if (space_[axis].range) {
    while (true) {  // at least a third of all Gaussians around a place in [0, 1] lies there
      const double x = centre + widths_[axis][kernel] * random.normal();
      if (x >= 0 && x <= 1) return x;
    }
  }
  if (random.uniform() < at_value(axis)) return centre;
  const auto other = static_cast<double>(random.below(space_[axis].values.size() - 1));
  return other < centre ? other : other + 1;
}

Point ParzenMixture::draw(CounterRandom& random) const {
  double left = random.uniform();
  size_t kernel = 0;
  while (kernel < shares_.size() && left >= shares_[kernel]) left -= shares_[kernel++];
  if (kernel == shares_.size()) return uniform_point(space_, random);
  Point point;
  for (size_t axis = 0; axis < space_.size(); ++axis) point.push_back(draw_coordinate(axis, kernel, random));
  return snapped(space_, point);
}

}  // namespace expctl
