#include "experiments/search_space.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace expctl;

namespace {

SweepAxis numbers(double min, double max, bool is_log = false, bool is_integer = false) {
  return {"x", {}, ParameterRange{min, max, is_log, is_integer}};
}

/// Of `count` draws, how far the counts in equal bins are from equal ones.
double chi_square(const std::vector<double>& in_unit, size_t bins) {
  std::vector<double> counts(bins);
  for (const double u : in_unit)
    ++counts[std::min(bins - 1, static_cast<size_t>(u * static_cast<double>(bins)))];
  const double expected = static_cast<double>(in_unit.size()) / static_cast<double>(bins);
  double sum = 0;
  for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

constexpr double kChiSquare9 = 27.88;  // exceeded once in a thousand times with 9 degrees of freedom

}  // namespace

TEST_CASE("search_space: values are rounded so that they can be typed", "[experiments]") {
  CHECK(value_at(numbers(0, 0.2), 1.0 / 3).dump() == "0.0667");
  CHECK(value_at(numbers(0, 0.2), 0.00001).dump() == "0.0");
  CHECK(value_at(numbers(-5, 10), 0.123456).dump() == "-3.15");
  CHECK(value_at(numbers(0, 12345678), 0.123456).dump() == "1520000.0");  // 1524148.0
  CHECK(value_at(numbers(0.99, 0.999), 0.5).dump() == "0.9945");
  CHECK(value_at(numbers(1e-5, 1e-3, true), 0.5).dump() == "0.0001");
  CHECK(value_at(numbers(1e-5, 1e-3, true), 0.61).dump() == "0.000166");  // 1.6596e-4
  CHECK(value_at(numbers(1e-5, 1e-3, true), 0.123).dump() == "1.762e-05");
  CHECK(value_at(numbers(0.99, 0.999, true), 0.123456).dump() == "0.991107");
}

TEST_CASE("search_space: the ends of a range are taken exactly, and nothing lies beyond", "[experiments]") {
  for (const bool is_log : {false, true}) {
    const SweepAxis axis = numbers(2.00004e-5, 6.66666e-5, is_log);
    CHECK(value_at(axis, 0) == 2.00004e-5);
    CHECK(value_at(axis, 1) == 6.66666e-5);
    for (int i = 0; i <= 1000; ++i) {
      const double value = value_at(axis, i / 1000.0);
      REQUIRE(value >= 2.00004e-5);
      REQUIRE(value <= 6.66666e-5);
    }
  }
}

TEST_CASE("search_space: snapping twice is snapping once, and the value stays", "[experiments]") {
  const SearchSpace space = {numbers(1e-6, 1e-2, true),
                             numbers(-3, 4),
                             numbers(1, 64, true, true),
                             numbers(-2, 5, false, true),
                             {"k", {"a", "b", "c"}}};
  CounterRandom random(1);
  for (int i = 0; i < 300; ++i) {
    const Point point = uniform_point(space, random);
    // A logarithm taken and undone differs by units in the last place.
    const Point again = snapped(space, point);
    for (size_t axis = 0; axis < space.size(); ++axis)
      CHECK(again[axis] == Approx(point[axis]).margin(1e-12));
    CHECK(params_at(space, again) == params_at(space, point));
    for (size_t axis = 0; axis < space.size(); ++axis)
      CHECK(coordinate_of(space[axis], value_at(space[axis], point[axis])) ==
            Approx(point[axis]).margin(1e-12));
  }
}

TEST_CASE("search_space: each integer has a cell, and the cells cover everything", "[experiments]") {
  for (const bool is_log : {false, true}) {
    const ParameterRange range{1, 6, is_log, true};
    double end = 0;
    for (int64_t value = 1; value <= 6; ++value) {
      const Cell cell = cell_of(range, coordinate_of({"n", {}, range}, value));
      CHECK(cell.low == Approx(end).margin(1e-12));
      CHECK(value_at({"n", {}, range}, cell.low + 1e-9) == value);
      CHECK(value_at({"n", {}, range}, cell.high - 1e-9) == value);
      end = cell.high;
    }
    CHECK(end == Approx(1));
  }
}

TEST_CASE("search_space: random points are uniform on the scale", "[experiments]") {
  const SearchSpace space = {numbers(1e-6, 1e-2, true),
                             numbers(-3, 7),
                             numbers(1, 10, false, true),
                             {"k", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}};
  CounterRandom random(3);
  std::vector<std::vector<double>> in_unit(4);
  for (int i = 0; i < 5000; ++i) {
    const Point point = uniform_point(space, random);
    const auto value = [&](size_t axis) { return value_at(space[axis], point[axis]).get<double>(); };
    in_unit[0].push_back((std::log10(value(0)) + 6) / 4);
    in_unit[1].push_back((value(1) + 3) / 10);
    in_unit[2].push_back((value(2) - 0.5) / 10);
    in_unit[3].push_back((value(3) + 0.5) / 10);
  }
  for (const auto& draws : in_unit) CHECK(chi_square(draws, 10) < kChiSquare9);
}
