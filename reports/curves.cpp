#include "reports/curves.h"

#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "core/text.h"

namespace expctl {
namespace {

std::optional<double> number(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

void add(Series& series, double x, const std::optional<double>& y) {
  if (!y) return;
  auto& points = series.points;
  while (!points.empty() && points.back().first >= x) points.pop_back();
  points.emplace_back(x, *y);
}

template <typename Look>
void for_each_object(std::string_view lines, const Look& look) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const Json line = Json::parse(lines.substr(0, end), nullptr, false);
    if (line.is_object()) look(line);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

}  // namespace

TrainingCurves training_curves(std::string_view metrics) {
  TrainingCurves curves;
  for_each_object(metrics, [&](const Json& line) {
    const auto step = number(line, "step");
    if (!step) return;
    add(curves.loss, *step, number(line, "loss"));
    add(curves.learning_rate, *step, number(line, "learning_rate"));
    add(curves.grad_norm, *step, number(line, "grad_norm"));
    add(curves.f1, *step, number(line, "f1"));
  });
  return curves;
}

std::vector<GpuCurves> gpu_curves(std::string_view readings) {
  std::vector<GpuCurves> all;
  for_each_object(readings, [&](const Json& line) {
    const auto gpu = line.find("gpu");
    const auto time = number(line, "time");
    if (gpu == line.end() || !gpu->is_string() || !time) return;
    const auto& id = gpu->get_ref<const std::string&>();
    auto found = std::find_if(all.begin(), all.end(), [&](const GpuCurves& one) { return one.gpu == id; });
    if (found == all.end()) found = all.insert(all.end(), GpuCurves{id});
    add(found->utilization_percent, *time, number(line, "utilization_percent"));
    const auto used = number(line, "memory_used");
    add(found->memory_gib, *time, used ? std::optional(std::ldexp(*used, -30)) : std::nullopt);
  });
  return all;
}

}  // namespace expctl
