// The space that a sweep searches, as its samplers see it: a point has a coordinate for each swept key.
//
// A range's coordinate lies in [0, 1], even on its scale (linear, or of the logarithm); one of integers
// reaches half a unit further at both ends, so that each integer has a cell of its own. A list's coordinate
// is the index of a value: lists are categories, without an order. All are pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/counter_random.h"
#include "core/json.h"

namespace expctl {

/// Numbers between two ends, both of which may be taken.
struct ParameterRange {
  double min = 0, max = 1;  ///< min < max; of a log scale min > 0
  bool is_log = false;
  bool is_integer = false;
};

/// One swept key: its values in file order, or a range.
struct SweepAxis {
  std::string key;
  std::vector<Json> values;  ///< empty where there is a range
  std::optional<ParameterRange> range = {};
};

using SearchSpace = std::vector<SweepAxis>;
using Point = std::vector<double>;

/// A part of [0, 1].
struct Cell {
  double low, high;
  double width() const { return high - low; }
};

/// The value at a coordinate, as a run is given it. A number between the ends of a range, rounded so that it
/// can be typed: on a linear scale to a thousandth of the power of ten below the range's width (0 to 0.2: to
/// 0.0001), on a log scale to four significant digits, or finer where the range is narrow.
Json value_at(const SweepAxis& axis, double coordinate);

/// Where `value`, which is one that value_at() gives, lies.
double coordinate_of(const SweepAxis& axis, const Json& value);

/// The coordinates that come out as the same integer as this one.
Cell cell_of(const ParameterRange& range, double coordinate);

/// The values of a point by key.
Json params_at(const SearchSpace& space, const Point& point);

/// The point of the values that this one comes out as.
Point snapped(const SearchSpace& space, const Point& point);

/// Every value equally likely: on its scale, or among those listed. Snapped.
Point uniform_point(const SearchSpace& space, CounterRandom& random);

}  // namespace expctl
