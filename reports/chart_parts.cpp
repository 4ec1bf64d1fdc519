#include "reports/chart_parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace expctl {

void ChartRange::take(double value) {
  low = std::min(low, value);
  high = std::max(high, value);
}

ChartRange widened(ChartRange range) {
  if (range.size() > 0) return range;
  return {range.low - 0.5, range.high + 0.5};
}

std::vector<double> ticks_of(const ChartRange& range) {
  constexpr double kTicks = 5;
  const double raw = range.size() / kTicks;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (raw <= factor * power) step = factor * power;
  }
  std::vector<double> ticks;
  for (double tick = std::ceil(range.low / step) * step; tick <= range.high; tick += step)
    ticks.push_back(tick);
  return ticks;
}

std::string chart_begin(double width, double height, const std::string& x_label, const std::string& y_label,
                        const std::string& attributes) {
  return fmt::format(
      "<svg {}viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} by {}\" font-family=\"sans-serif\" "
      "font-size=\"12\" fill=\"#333\">\n",
      attributes, width, height, svg_text(y_label), svg_text(x_label));
}

std::string y_ticks(const PlotBox& box, const ChartRange& range, const std::function<double(double)>& place) {
  std::string svg;
  for (const double tick : ticks_of(range)) {
    const double y = place(tick);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>\n"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        box.left, box.right, y, box.left - 6, y + 4, tick);
  }
  return svg;
}

std::string x_name(const PlotBox& box, const std::string& name, double y) {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (box.left + box.right) / 2,
                     y, svg_text(name));
}

std::string y_name(const PlotBox& box, const std::string& name, double x) {
  return fmt::format(
      "<text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\" transform=\"rotate(-90 {0} {1})\">{2}</text>\n", x,
      (box.top + box.bottom) / 2, svg_text(name));
}

std::string svg_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace expctl
