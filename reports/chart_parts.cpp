#include "reports/chart_parts.h"

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
