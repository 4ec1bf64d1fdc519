#include "trainer/average.h"

#include <algorithm>

#include "core/tiles.h"

namespace expctl {

double average_decay(double decay, int64_t updates) {
  const auto t = static_cast<double>(updates);
  return std::min(decay, (1 + t) / (10 + t));
}

void move_average(Parameters& average, const Parameters& parameters, double d) {
  constexpr int64_t kElementsPerTile = 65536;
  const auto rest = static_cast<float>(1 - d);
  for (auto& [name, tensor] : average) {
    float* to = tensor.data_ptr<float>();
    const float* from = parameters.at(name).data_ptr<float>();
    for_each_range(tensor.numel(), kElementsPerTile, [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t i = begin; i < end; ++i) to[i] -= rest * (to[i] - from[i]);
    });
  }
}

}  // namespace expctl
