#include "experiments/search_space.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace expctl {
namespace {

/// The ends of the coordinates, before the logarithm is taken.
double lowest(const ParameterRange& range) {
  return range.min - (range.is_integer ? 0.5 : 0);
}
double highest(const ParameterRange& range) {
  return range.max + (range.is_integer ? 0.5 : 0);
}

double on_scale(const ParameterRange& range, double value) {
  return range.is_log ? std::log(value) : value;
}

double unit(const ParameterRange& range, double value) {
  const double low = on_scale(range, lowest(range)), high = on_scale(range, highest(range));
  return std::clamp((on_scale(range, value) - low) / (high - low), 0.0, 1.0);
}

/// Before it is rounded.
double number_at(const ParameterRange& range, double coordinate) {
  const double low = on_scale(range, lowest(range)), high = on_scale(range, highest(range));
  const double scaled = low + coordinate * (high - low);
  return range.is_log ? std::exp(scaled) : scaled;
}

int power_of_ten(double x) {
  return static_cast<int>(std::floor(std::log10(x)));
}

/// To a multiple of 10^exponent: the double that is written with so many digits, and no neighbour of it.
double rounded(double x, int exponent) {
  if (exponent >= 0) return std::round(x / std::pow(10, exponent)) * std::pow(10, exponent);
  const std::string text = fmt::format("{:.{}f}", x, -exponent);
  double value = x;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value == 0 ? 0 : value;  // no -0
}

double rounded_in(const ParameterRange& range, double x) {
  constexpr int kDigits = 3;  // after the first
  int exponent = power_of_ten(range.max - range.min) - kDigits;
  if (range.is_log) exponent = std::min(exponent, power_of_ten(x) - kDigits);
  return std::clamp(rounded(x, exponent), range.min, range.max);
}

int64_t integer_at(const ParameterRange& range, double coordinate) {
  return std::llround(std::clamp(number_at(range, coordinate), range.min, range.max));
}

}  // namespace

Json value_at(const SweepAxis& axis, double coordinate) {
  if (!axis.range) return axis.values.at(static_cast<size_t>(coordinate));
  if (axis.range->is_integer) return integer_at(*axis.range, coordinate);
  return rounded_in(*axis.range, number_at(*axis.range, coordinate));
}

double coordinate_of(const SweepAxis& axis, const Json& value) {
  if (axis.range) return unit(*axis.range, value.get<double>());
  return static_cast<double>(std::find(axis.values.begin(), axis.values.end(), value) - axis.values.begin());
}

Cell cell_of(const ParameterRange& range, double coordinate) {
  const auto value = static_cast<double>(integer_at(range, coordinate));
  return {unit(range, value - 0.5), unit(range, value + 0.5)};
}

Json params_at(const SearchSpace& space, const Point& point) {
  Json params = Json::object();
  for (size_t i = 0; i < space.size(); ++i) params[space[i].key] = value_at(space[i], point[i]);
  return params;
}

Point snapped(const SearchSpace& space, const Point& point) {
  Point result(point.size());
  for (size_t i = 0; i < space.size(); ++i)
    result[i] = space[i].range ? coordinate_of(space[i], value_at(space[i], point[i])) : point[i];
  return result;
}

Point uniform_point(const SearchSpace& space, CounterRandom& random) {
  Point point;
  for (const auto& axis : space) {
    point.push_back(axis.range ? random.uniform() : static_cast<double>(random.below(axis.values.size())));
  }
  return snapped(space, point);
}

}  // namespace expctl
