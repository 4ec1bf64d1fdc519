#include "reports/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace expctl {
namespace {

constexpr double kWidth = 720, kHeight = 300, kLeft = 56, kRight = 150, kTop = 12, kBottom = 44;
constexpr std::array<const char*, 8> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#e69f00", "#56b4e9", "#000000", "#b8a800"};

struct Range {
  double low = INFINITY;
  double high = -INFINITY;

  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  double size() const { return high - low; }
};

/// 1, 2 or 5 times a power of ten, so that some five steps cover the range.
double tick_step(const Range& range) {
  constexpr double kTicks = 5;
  const double raw = range.size() / kTicks;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

Range widened(Range range) {
  if (range.size() > 0) return range;
  return {range.low - 0.5, range.high + 0.5};
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

class Chart {
 public:
  Chart(Range x, Range y) : x_(widened(x)), y_(widened(y)) {}

  std::string axes(const std::string& x_label, const std::string& y_label) const {
    std::string svg;
    for (double tick = first_tick(x_); tick <= x_.high; tick += tick_step(x_)) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g}</text>\n", px(tick),
                         kHeight - kBottom + 16, tick);
    }
    for (double tick = first_tick(y_); tick <= y_.high; tick += tick_step(y_)) {
      svg += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>\n",
                         kLeft, kWidth - kRight, py(tick));
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n", kLeft - 6,
                         py(tick) + 4, tick);
    }
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       (kLeft + kWidth - kRight) / 2, kHeight - 6, escaped(x_label));
    svg += fmt::format(
        "<text x=\"14\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {0})\">{1}</text>\n",
        (kTop + kHeight - kBottom) / 2, escaped(y_label));
    return svg;
  }

  std::string line(const Series& series, const char* colour) const {
    std::string points;
    for (const auto& [x, y] : series.points) {
      if (std::isfinite(x) && std::isfinite(y)) points += fmt::format("{:.1f},{:.1f} ", px(x), py(y));
    }
    return fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" points=\"{}\"/>\n", colour,
                       points);
  }

 private:
  static double first_tick(const Range& range) {
    return std::ceil(range.low / tick_step(range)) * tick_step(range);
  }
  double px(double x) const { return kLeft + (x - x_.low) / x_.size() * (kWidth - kLeft - kRight); }
  double py(double y) const {
    return kHeight - kBottom - (y - y_.low) / y_.size() * (kHeight - kTop - kBottom);
  }

  Range x_, y_;
};

std::string legend(const std::vector<Series>& series) {
  std::string svg;
  for (size_t i = 0; i < series.size(); ++i) {
    const double y = kTop + 10 + 18 * static_cast<double>(i);
    svg +=
        fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\" stroke=\"{3}\" stroke-width=\"3\"/>\n",
                    kWidth - kRight + 10, kWidth - kRight + 28, y, kColours[i % kColours.size()]);
    svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kWidth - kRight + 34, y + 4,
                       escaped(series[i].name));
  }
  return svg;
}

}  // namespace

std::string line_chart(const std::vector<Series>& series, const std::string& x_label,
                       const std::string& y_label) {
  Range x, y;
  for (const auto& one : series) {
    for (const auto& [px, py] : one.points) {
      if (!std::isfinite(px) || !std::isfinite(py)) continue;
      x.take(px);
      y.take(py);
    }
  }
  if (x.low > x.high) return "";
  const Chart chart(x, y);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} by {}\" font-family=\"sans-serif\" "
      "font-size=\"12\" fill=\"#333\">\n",
      kWidth, kHeight, escaped(y_label), escaped(x_label));
  svg += chart.axes(x_label, y_label);
  for (size_t i = 0; i < series.size(); ++i) svg += chart.line(series[i], kColours[i % kColours.size()]);
  return svg + legend(series) + "</svg>\n";
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

}  // namespace expctl
