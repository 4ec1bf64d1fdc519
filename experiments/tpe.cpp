#include "experiments/tpe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "experiments/parzen_mixture.h"

namespace expctl {
namespace {

// Measured: docs/search.md.
constexpr double kGoodPart = 0.2;
constexpr size_t kMostGood = 25;
constexpr size_t kCandidates = 24;

/// The best first, then those without a score.
std::vector<Observation> best_first(std::vector<Observation> seen) {
  std::stable_sort(seen.begin(), seen.end(), [](const Observation& a, const Observation& b) {
    if (a.score && b.score) return *a.score > *b.score;
    return a.score.has_value() && !b.score;
  });
  return seen;
}

std::vector<Point> points_of(const Observation* first, const Observation* last) {
  std::vector<Point> points;
  for (; first != last; ++first) points.push_back(first->point);
  return points;
}

/// Of the best of `count` the most: ln(count + 1) - ln(rank), as CMA-ES weighs its parents (Hansen 2016).
std::vector<double> rank_weights(size_t count) {
  std::vector<double> weights;
  for (size_t rank = 1; rank <= count; ++rank)
    weights.push_back(std::log(static_cast<double>(count + 1) / static_cast<double>(rank)));
  return weights;
}

}  // namespace

std::vector<Point> tpe_candidates(const SearchSpace& space, const std::vector<Observation>& seen,
                                  CounterRandom random) {
  const auto ranked = best_first(seen);
  const auto scored = std::count_if(ranked.begin(), ranked.end(),
                                    [](const Observation& one) { return one.score.has_value(); });
  const auto good_count =
      std::min(kMostGood, static_cast<size_t>(std::ceil(kGoodPart * static_cast<double>(scored))));
  const Observation* const border = ranked.data() + good_count;
  const ParzenMixture good(space, points_of(ranked.data(), border), rank_weights(good_count));
  // What is still at work is among the others, so that it is not proposed once more meanwhile.
  auto others = points_of(border, ranked.data() + ranked.size());
  const std::vector<double> alike(others.size(), 1);
  const ParzenMixture bad(space, std::move(others), alike);
  std::vector<std::pair<double, Point>> candidates;
  for (size_t i = 0; i < kCandidates; ++i) {
    Point point = good.draw(random);
    const double gain = good.log_density(point) - bad.log_density(point);
    candidates.emplace_back(gain, std::move(point));
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Point> points;
  for (auto& [gain, point] : candidates) points.push_back(std::move(point));
  return points;
}

}  // namespace expctl
