#include "experiments/parzen_mixture.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace expctl;

namespace {

const SearchSpace kSpace = {
    {"x", {}, ParameterRange{0, 1}}, {"n", {}, ParameterRange{1, 5, true, true}}, {"k", {"a", "b", "c"}}};

/// A point by its values.
Point at(double x, int64_t n, size_t k) {
  return {x, coordinate_of(kSpace[1], n), static_cast<double>(k)};
}

ParzenMixture mixture() {
  return {kSpace, {at(0.1, 1, 0), at(0.15, 4, 0), at(0.9, 5, 2)}, {3, 2, 1}};
}

/// The probability of the integers and categories with x between two ends, by the midpoint rule.
double mass(const ParzenMixture& density, double from, double to) {
  constexpr int kSteps = 500;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    for (int64_t n = 1; n <= 5; ++n) {
      for (size_t k = 0; k < 3; ++k)
        sum += std::exp(density.log_density(at(from + (i + 0.5) / kSteps * (to - from), n, k)));
    }
  }
  return sum * (to - from) / kSteps;
}

}  // namespace

TEST_CASE("parzen_mixture: the density of numbers, integers and categories sums to 1", "[experiments]") {
  CHECK(mass(mixture(), 0, 1) == Approx(1).epsilon(1e-4));
  // Of no points it is the uniform one: integers by the width of their cells on the log scale.
  const ParzenMixture uniform(kSpace, {}, {});
  CHECK(uniform.log_density(at(0.3, 2, 1)) ==
        Approx(std::log(std::log(2.5 / 1.5) / std::log(5.5 / 0.5) / 3)));
  CHECK(mass(uniform, 0, 1) == Approx(1));
}

TEST_CASE("parzen_mixture: draws are as frequent as the density says", "[experiments]") {
  const ParzenMixture density = mixture();
  CounterRandom random(5);
  constexpr int kDraws = 20000;
  std::vector<int> in_tenth(10), of_integer(6), of_category(3);
  for (int i = 0; i < kDraws; ++i) {
    const Point point = density.draw(random);
    ++in_tenth[std::min<size_t>(9, static_cast<size_t>(point[0] * 10))];
    ++of_integer[value_at(kSpace[1], point[1]).get<size_t>()];
    ++of_category[static_cast<size_t>(point[2])];
  }
  // Four standard deviations of a count.
  const auto is_near = [](int count, double probability) {
    const double expected = kDraws * probability;
    return std::abs(count - expected) < 4 * std::sqrt(expected * (1 - probability)) + 1;
  };
  for (size_t tenth = 0; tenth < 10; ++tenth) {
    const double from = static_cast<double>(tenth) / 10;
    CHECK(is_near(in_tenth[tenth], mass(density, from, from + 0.1)));
  }
  std::vector<double> integers(6), categories(3);
  constexpr int kSteps = 500;
  for (int i = 0; i < kSteps; ++i) {
    for (int64_t n = 1; n <= 5; ++n) {
      for (size_t k = 0; k < 3; ++k) {
        const double p = std::exp(density.log_density(at((i + 0.5) / kSteps, n, k))) / kSteps;
        integers[static_cast<size_t>(n)] += p;
        categories[k] += p;
      }
    }
  }
  for (size_t n = 1; n <= 5; ++n) CHECK(is_near(of_integer[n], integers[n]));
  for (size_t k = 0; k < 3; ++k) CHECK(is_near(of_category[k], categories[k]));
}

TEST_CASE("parzen_mixture: a list has 1 at the point's value and 1/(points + 1) at each, normalised",
          "[experiments]") {
  const SearchSpace list = {{"k", {"a", "b", "c"}}};
  // One point: 3/2, 1/2 and 1/2, of 5/2; the uniform density has as much as the point.
  const ParzenMixture one(list, {{0}}, {1});
  CHECK(std::exp(one.log_density({0})) == Approx((3.0 / 5 + 1.0 / 3) / 2));
  CHECK(std::exp(one.log_density({1})) == Approx((1.0 / 5 + 1.0 / 3) / 2));
  // Two: 4/3, 1/3 and 1/3, of 2; the uniform density is a third, of the rest the first has three quarters.
  const ParzenMixture two(list, {{0}, {1}}, {3, 1});
  CHECK(std::exp(two.log_density({0})) == Approx((1.0 / 3 + 1.5 * 2 / 3 + 0.5 / 6) / 3));
  CHECK(std::exp(two.log_density({2})) == Approx((1.0 / 3 + 1.5 / 6 + 0.5 / 6) / 3));
}

TEST_CASE("parzen_mixture: weights move the density", "[experiments]") {
  const std::vector<Point> points = {at(0.2, 1, 0), at(0.8, 1, 0)};
  const ParzenMixture first(kSpace, points, {3, 1}), second(kSpace, points, {1, 3});
  CHECK(first.log_density(at(0.2, 1, 0)) > second.log_density(at(0.2, 1, 0)));
  CHECK(first.log_density(at(0.2, 1, 0)) == Approx(second.log_density(at(0.8, 1, 0))));
}
