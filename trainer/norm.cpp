#include "trainer/norm.h"

#include <algorithm>
#include <cmath>

#include "core/tiles.h"

namespace expctl {
namespace {

constexpr int64_t kTile = 65536;

double squares_of(const FloatSpan& span) {
  constexpr int64_t kLanes = 8;
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= span.count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const double value = span.values[i + lane];
      sums[lane] += value * value;
    }
  }
  for (int64_t lane = 0; i < span.count; ++i, ++lane) {
    const double value = span.values[i];
    sums[lane] += value * value;
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

double sum_of_squares(const std::vector<FloatSpan>& spans) {
  std::vector<FloatSpan> tiles;
  for (const auto& span : spans) {
    for (int64_t begin = 0; begin < span.count; begin += kTile)
      tiles.push_back({span.values + begin, std::min(kTile, span.count - begin)});
  }
  std::vector<double> sums(tiles.size());
  for_each_tile(static_cast<int64_t>(tiles.size()), [&](int64_t tile, int64_t) {
    sums[static_cast<size_t>(tile)] = squares_of(tiles[static_cast<size_t>(tile)]);
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

double norm_of(const torch::Tensor& tensor) {
  return std::sqrt(sum_of_squares({{tensor.data_ptr<float>(), tensor.numel()}}));
}

}  // namespace expctl
