#include "reports/dot_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/chart_parts.h"

namespace expctl {
namespace {

constexpr double kWidth = 420, kHeight = 240, kLeft = 52, kRight = 406, kTop = 12, kBottom = 196;
constexpr PlotBox kPlot{kLeft, kRight, kTop, kBottom};
constexpr double kLetter = 6.6;  ///< the width of a letter, about

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::string dot_chart(const std::vector<DotColumn>& columns, const std::string& x_label,
                      const std::string& y_label) {
  ChartRange range;
  size_t longest = 1;
  for (const auto& column : columns) {
    longest = std::max(longest, column.name.size());
    for (const double value : column.values) {
      if (std::isfinite(value)) range.take(value);
    }
  }
  if (range.is_empty()) return "";
  range = widened(range);
  const auto py = [&](double y) {
    constexpr double kAir = 6;  // so that no dot lies on the edge
    return kBottom - kAir - (y - range.low) / range.size() * (kBottom - kTop - 2 * kAir);
  };
  const double wide = (kRight - kLeft) / static_cast<double>(columns.size());
  const auto every = static_cast<size_t>(std::ceil((static_cast<double>(longest) * kLetter + 8) / wide));
  std::string svg = chart_begin(kWidth, kHeight, x_label, y_label);
  svg += y_ticks(kPlot, range, py);
  for (size_t i = 0; i < columns.size(); ++i) {
    const double x = kLeft + wide * (static_cast<double>(i) + 0.5);
    if (i % every == 0)
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x, kBottom + 16,
                         svg_text(columns[i].name));
    std::vector<double> values;
    for (const double value : columns[i].values) {
      if (!std::isfinite(value)) continue;
      values.push_back(value);
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}: {:.3f}</title></circle>\n",
                         x, py(value), svg_text(columns[i].name), value);
    }
    if (values.size() < 2) continue;
    const double half = std::min(14.0, wide / 2);
    svg += fmt::format("<line class=\"mean\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>\n",
                       x - half, x + half, py(mean_of(values)));
  }
  return svg + x_name(kPlot, x_label, kHeight - 6) + y_name(kPlot, y_label, 12) + "</svg>\n";
}

}  // namespace expctl
