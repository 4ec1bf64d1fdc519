#include "core/distributions.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>

namespace expctl {

double normal_probability(double x) {
  return boost::math::cdf(boost::math::normal(), x);
}

double student_t_quantile(double probability, double degrees) {
  return boost::math::quantile(boost::math::students_t(degrees), probability);
}

double t_test_power(double difference, double sd, size_t count) {
  const double degrees = static_cast<double>(count) - 1;
  const double critical = student_t_quantile(0.975, degrees);
  const double shift = std::abs(difference) / sd * std::sqrt(static_cast<double>(count));
  constexpr double kCertain = 1e3;  // of two values the critical t is 12.7; beyond, Boost's integers overflow
  if (shift > kCertain) return 1;
  const boost::math::non_central_t statistic(degrees, shift);
  return boost::math::cdf(boost::math::complement(statistic, critical)) +
         boost::math::cdf(statistic, -critical);
}

std::optional<size_t> values_needed(double difference, double sd, double power) {
  constexpr size_t kMost = 10'000;
  if (difference == 0) return std::nullopt;
  size_t low = 1, high = 2;  // too few, enough
  while (t_test_power(difference, sd, high) < power) {
    if (high == kMost) return std::nullopt;
    low = high;
    high = std::min(kMost, 2 * high);
  }
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    (t_test_power(difference, sd, middle) < power ? low : high) = middle;
  }
  return high;
}

double sd_upper_limit(double sd, double degrees) {
  return sd * std::sqrt(degrees / boost::math::quantile(boost::math::chi_squared(degrees), 0.1));
}

double expected_maximum(size_t count) {
  const auto n = static_cast<double>(count);
  const boost::math::normal normal;
  const auto at = [&](double x) {
    return n * x * boost::math::pdf(normal, x) * std::pow(boost::math::cdf(normal, x), n - 1);
  };
  constexpr double kFar = 9;  // beyond it lies less than 1e-18 of a normal value
  constexpr unsigned kMostHalvings = 15;
  constexpr double kTolerance = 1e-10;
  return boost::math::quadrature::gauss_kronrod<double, 31>::integrate(at, -kFar, kFar, kMostHalvings,
                                                                       kTolerance);
}

}  // namespace expctl
