// A line chart as inline SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace expctl {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x rising
};

struct ChartShape {
  double width = 720;
  double height = 300;
  bool has_names = true;  ///< of the series and of y; else they stand beside the chart
  bool is_file = false;   ///< a document of its own, not part of a page
};

/// Axes with round tick values, one colour a series, a legend; colours tell apart for the colour-blind (Okabe
/// and Ito's palette). Points that are not finite are left out; no series with points gives "". Lines of the
/// grid are of the class "grid", for pages whose style sheet gives them another colour.
std::string line_chart(const std::vector<Series>& series, const std::string& x_label,
                       const std::string& y_label, const ChartShape& shape = {});

/// Values of about `count` equal stretches of x, each the mean of its points: a noisy curve thinned for a
/// picture.
Series thinned(const Series& series, size_t count);

/// At most `count` of its points, the first and the last besides: of equal stretches the lowest and the
/// highest each, so that no spike is lost. Points whose y is not finite are left out.
Series extremes(const Series& series, size_t count);

}  // namespace expctl
