#include "reports/scatter_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/chart_parts.h"

namespace expctl {
namespace {

constexpr double kWidth = 420, kHeight = 240, kLeft = 52, kRight = 406, kTop = 12, kBottom = 196;
constexpr PlotBox kPlot{kLeft, kRight, kTop, kBottom};
constexpr double kAir = 8;  ///< so that no dot lies on an edge

/// 1, 2 and 5 times the powers of ten within the range; over many decades the powers alone.
std::vector<double> log_ticks(const ChartRange& range) {
  const bool is_wide = std::log10(range.high / range.low) > 3;
  std::vector<double> ticks;
  for (double power = std::pow(10, std::floor(std::log10(range.low))); power <= range.high; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * power;
      if (tick >= range.low && tick <= range.high && (factor == 1 || !is_wide)) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

bool wants_log_axis(const std::vector<double>& numbers) {
  if (numbers.empty()) return false;
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  return *low > 0 && *high > 10 * *low;
}

std::string scatter_chart(const std::vector<ScatterPoint>& points, const std::string& x_label,
                          const std::string& y_label) {
  std::vector<ScatterPoint> shown;
  std::vector<double> numbers;
  ChartRange across, up;
  for (const auto& point : points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
    shown.push_back(point);
    numbers.push_back(point.x);
    across.take(point.x);
    up.take(point.y);
  }
  if (shown.empty()) return "";
  const bool is_log = wants_log_axis(numbers);
  if (!is_log) across = widened(across);
  up = widened(up);
  const auto on_axis = [&](double x) { return is_log ? std::log(x) : x; };
  const auto px = [&](double x) {
    const double part = (on_axis(x) - on_axis(across.low)) / (on_axis(across.high) - on_axis(across.low));
    return kLeft + kAir + part * (kRight - kLeft - 2 * kAir);
  };
  const auto py = [&](double y) {
    return kBottom - kAir - (y - up.low) / up.size() * (kBottom - kTop - 2 * kAir);
  };
  std::string svg = chart_begin(kWidth, kHeight, x_label, y_label);
  svg += y_ticks(kPlot, up, py);
  for (const double tick : is_log ? log_ticks(across) : ticks_of(across))
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}</text>\n", px(tick),
                       kBottom + 16, tick);
  for (const auto& point : shown)
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}</title></circle>\n",
                       px(point.x), py(point.y), svg_text(point.title));
  return svg + x_name(kPlot, x_label + (is_log ? " (log)" : ""), kHeight - 6) + y_name(kPlot, y_label, 12) +
         "</svg>\n";
}

}  // namespace expctl
