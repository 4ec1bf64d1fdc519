#include "reports/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/chart_parts.h"

namespace expctl {
namespace {

constexpr double kLeft = 56, kLegend = 150, kMargin = 14, kTop = 12, kBottom = 44;

class Chart {
 public:
  Chart(ChartRange x, ChartRange y, const ChartShape& shape)
      : x_(widened(x)),
        y_(widened(y)),
        right_(shape.width - (shape.has_names ? kLegend : kMargin)),
        bottom_(shape.height - kBottom) {}

  std::string axes(const std::string& x_label) const {
    std::string svg;
    for (const double tick : ticks_of(x_)) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g}</text>\n", px(tick),
                         bottom_ + 16, tick);
    }
    svg += y_ticks(plot(), y_, [this](double y) { return py(y); });
    return svg + x_name(plot(), x_label, bottom_ + kBottom - 6);
  }

  std::string name_of_y(const std::string& name) const { return y_name(plot(), name, 14); }

  std::string line(const Series& series, const char* colour) const {
    std::string points;
    for (const auto& [x, y] : series.points) {
      if (std::isfinite(x) && std::isfinite(y)) points += fmt::format("{:.1f},{:.1f} ", px(x), py(y));
    }
    return fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" points=\"{}\"/>\n", colour,
                       points) +
           dots(series, colour);
  }

 private:
  /// Of a curve of so few points that a line alone does not show where they are, or that there is one.
  std::string dots(const Series& series, const char* colour) const {
    constexpr size_t kFew = 12;
    if (series.points.size() > kFew) return "";
    std::string svg;
    for (const auto& [x, y] : series.points) {
      if (std::isfinite(x) && std::isfinite(y))
        svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"/>\n", px(x), py(y),
                           colour);
    }
    return svg;
  }

  PlotBox plot() const { return {kLeft, right_, kTop, bottom_}; }
  double px(double x) const { return kLeft + (x - x_.low) / x_.size() * (right_ - kLeft); }
  double py(double y) const { return bottom_ - (y - y_.low) / y_.size() * (bottom_ - kTop); }

  ChartRange x_, y_;
  double right_, bottom_;  ///< of the plot
};

std::string legend(const std::vector<Series>& series, double left) {
  std::string svg;
  for (size_t i = 0; i < series.size(); ++i) {
    const double y = kTop + 10 + 18 * static_cast<double>(i);
    svg +=
        fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\" stroke=\"{3}\" stroke-width=\"3\"/>\n",
                    left + 10, left + 28, y, kChartColours[i % kChartColours.size()]);
    svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", left + 34, y + 4, svg_text(series[i].name));
  }
  return svg;
}

}  // namespace

std::string line_chart(const std::vector<Series>& series, const std::string& x_label,
                       const std::string& y_label, const ChartShape& shape) {
  ChartRange x, y;
  for (const auto& one : series) {
    for (const auto& [px, py] : one.points) {
      if (!std::isfinite(px) || !std::isfinite(py)) continue;
      x.take(px);
      y.take(py);
    }
  }
  if (x.is_empty()) return "";
  const Chart chart(x, y, shape);
  std::string svg = chart_begin(shape.width, shape.height, x_label, y_label,
                                shape.is_file ? "xmlns=\"http://www.w3.org/2000/svg\" " : "");
  if (shape.is_file) svg += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  svg += chart.axes(x_label);
  for (size_t i = 0; i < series.size(); ++i)
    svg += chart.line(series[i], kChartColours[i % kChartColours.size()]);
  if (shape.has_names) svg += chart.name_of_y(y_label) + legend(series, shape.width - kLegend);
  return svg + "</svg>\n";
}

Series thinned(const Series& series, size_t count) {
  const auto stretch = (series.points.size() + count - 1) / std::max<size_t>(count, 1);
  if (stretch <= 1) return series;
  Series thin{series.name, {}};
  for (size_t begin = 0; begin < series.points.size(); begin += stretch) {
    const size_t end = std::min(begin + stretch, series.points.size());
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) {
      x += series.points[i].first;
      y += series.points[i].second;
    }
    const auto size = static_cast<double>(end - begin);
    thin.points.emplace_back(x / size, y / size);
  }
  return thin;
}

Series extremes(const Series& series, size_t count) {
  Series finite{series.name, {}};
  for (const auto& point : series.points) {
    if (std::isfinite(point.second)) finite.points.push_back(point);
  }
  const auto& points = finite.points;
  const size_t stretches = std::max<size_t>(1, count / 2);
  if (points.size() <= 2 * stretches) return finite;
  Series thin{series.name, {points.front()}};
  const auto add = [&](size_t i) {
    if (points[i].first > thin.points.back().first) thin.points.push_back(points[i]);
  };
  const auto lower = [](const auto& a, const auto& b) { return a.second < b.second; };
  for (size_t s = 0; s < stretches; ++s) {
    const auto begin = points.begin() + static_cast<ptrdiff_t>(points.size() * s / stretches);
    const auto end = points.begin() + static_cast<ptrdiff_t>(points.size() * (s + 1) / stretches);
    const auto [lowest, highest] = std::minmax_element(begin, end, lower);
    add(static_cast<size_t>(std::min(lowest, highest) - points.begin()));
    add(static_cast<size_t>(std::max(lowest, highest) - points.begin()));
  }
  add(points.size() - 1);
  return thin;
}

}  // namespace expctl
