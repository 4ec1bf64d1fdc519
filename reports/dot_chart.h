// Single values by what they belong to, as inline SVG: F1 of every run by the value of a parameter.
#pragma once

#include <string>
#include <vector>

namespace expctl {

struct DotColumn {
  std::string name;
  std::vector<double> values;  ///< those that are not finite are left out
};

/// A column of dots each, with a line at their mean. Names of columns that would overlap are left out, and
/// stand in the dots' titles. "" where there is no value.
std::string dot_chart(const std::vector<DotColumn>& columns, const std::string& x_label,
                      const std::string& y_label);

}  // namespace expctl
