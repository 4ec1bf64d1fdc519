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

/// Axes with round tick values, one colour a series, a legend; colours tell apart for the colour-blind (Okabe
/// and Ito's palette). Points that are not finite are left out; no series with points gives "".
std::string line_chart(const std::vector<Series>& series, const std::string& x_label,
                       const std::string& y_label);

/// Values of about `count` equal stretches of x, each the mean of its points: a noisy curve thinned for a
/// picture.
Series thinned(const Series& series, size_t count);

}  // namespace expctl
