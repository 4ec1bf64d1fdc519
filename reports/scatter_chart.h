// Values against a number, as inline SVG: F1 of every run by a parameter that was drawn from a range.
#pragma once

#include <string>
#include <vector>

namespace expctl {

struct ScatterPoint {
  double x = 0, y = 0;
  std::string title;  ///< what is said where the pointer rests on it
};

/// Whether numbers are better told apart by their logarithms: all are positive, and over a decade apart.
bool wants_log_axis(const std::vector<double>& numbers);

/// A dot for each point, the axis of x logarithmic where wants_log_axis() says so. Points that are not finite
/// are left out; "" where none is left.
std::string scatter_chart(const std::vector<ScatterPoint>& points, const std::string& x_label,
                          const std::string& y_label);

}  // namespace expctl
