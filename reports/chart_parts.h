// What charts have in common: ticks, colours, text. Private to reports/.
#pragma once

#include <array>
#include <cmath>
#include <functional>
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

/// Where in a chart the plot is.
struct PlotBox {
  double left, right, top, bottom;
};

/// The beginning of a chart of `y_label` by `x_label`; `attributes` come first.
std::string chart_begin(double width, double height, const std::string& x_label, const std::string& y_label,
                        const std::string& attributes = {});

/// Grid lines and numbers of the vertical axis; `place` is where a value is.
std::string y_ticks(const PlotBox& box, const ChartRange& range, const std::function<double(double)>& place);
/// A name under the plot, its baseline at `y`.
std::string x_name(const PlotBox& box, const std::string& name, double y);
/// A name along the left side, its baseline at `x`.
std::string y_name(const PlotBox& box, const std::string& name, double x);

/// For text and attributes of SVG.
std::string svg_text(const std::string& text);

}  // namespace expctl
