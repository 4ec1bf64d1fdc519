#include "reports/curves.h"

#include <algorithm>
#include <cmath>

#include "core/json_lines.h"

namespace expctl {
namespace {

void add(Series& series, double x, const std::optional<double>& y) {
  if (!y) return;
  auto& points = series.points;
  while (!points.empty() && points.back().first >= x) points.pop_back();
  points.emplace_back(x, *y);
}

}  // namespace

TrainingCurves training_curves(std::string_view metrics) {
  TrainingCurves curves;
  for_each_json_object(metrics, [&](const Json& line) {
    const auto step = number_in(line, "step");
    if (!step) return;
    add(curves.loss, *step, number_in(line, "loss"));
    add(curves.learning_rate, *step, number_in(line, "learning_rate"));
    add(curves.grad_norm, *step, number_in(line, "grad_norm"));
    add(curves.f1, *step, number_in(line, "f1"));
  });
  return curves;
}

std::vector<GpuCurves> gpu_curves(std::string_view readings) {
  std::vector<GpuCurves> all;
  for_each_json_object(readings, [&](const Json& line) {
    const auto gpu = line.find("gpu");
    const auto time = number_in(line, "time");
    if (gpu == line.end() || !gpu->is_string() || !time) return;
    const auto& id = gpu->get_ref<const std::string&>();
    auto found = std::find_if(all.begin(), all.end(), [&](const GpuCurves& one) { return one.gpu == id; });
    if (found == all.end()) found = all.insert(all.end(), GpuCurves{id});
    add(found->utilization_percent, *time, number_in(line, "utilization_percent"));
    const auto used = number_in(line, "memory_used");
    add(found->memory_gib, *time, used ? std::optional(std::ldexp(*used, -30)) : std::nullopt);
  });
  return all;
}

}  // namespace expctl
