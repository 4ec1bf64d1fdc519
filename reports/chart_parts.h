// What charts have in common: ticks, colours, text. Private to reports/.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace expctl {

/// Okabe and Ito's palette, which tells apart for the colour-blind.
inline constexpr std::array<const char*, 8> kChartColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                             "#e69f00", "#56b4e9", "#000000", "#b8a800"};

struct ChartRange {
  double low = INFINITY;
  double high = -INFINITY;

  void take(double value);
  double size() const { return high - low; }
  bool is_empty() const { return low > high; }
};

/// One that has a size.
ChartRange widened(ChartRange range);

/// Round values within the range: some five, 1, 2 or 5 times a power of ten apart.
std::vector<double> ticks_of(const ChartRange& range);

/// For text and attributes of SVG.
std::string svg_text(const std::string& text);

}  // namespace expctl
