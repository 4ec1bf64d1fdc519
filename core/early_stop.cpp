#include "core/early_stop.h"

#include <cmath>

namespace expctl {

Json to_json(const EarlyStopSpec& e) {
  return {{"method", e.method}, {"min_fraction", e.min_fraction}, {"reduction", e.reduction}};
}

EarlyStopSpec early_stop_from_json(const Json& json, const std::string& source) {
  const EarlyStopSpec d;
  return {json_get<std::string>(json, "method", source, d.method),
          json_get<double>(json, "min_fraction", source, d.min_fraction),
          json_get<int64_t>(json, "reduction", source, d.reduction)};
}

std::vector<int64_t> rung_steps(const EarlyStopSpec& early_stop, int64_t total_steps) {
  std::vector<int64_t> steps;
  if (!early_stop.is_wanted()) return steps;
  // 0.2 * 10 is a little more than 2 in binary: not a step more for that.
  constexpr double kRounding = 1e-9;
  for (double fraction = early_stop.min_fraction; fraction < 1;
       fraction *= static_cast<double>(early_stop.reduction)) {
    const auto step =
        static_cast<int64_t>(std::ceil(fraction * static_cast<double>(total_steps) - kRounding));
    if (step < 1 || step >= total_steps) continue;
    if (steps.empty() || step > steps.back()) steps.push_back(step);
  }
  return steps;
}

}  // namespace expctl
