#include "core/student_t.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace expctl {
namespace {

/// The continued fraction of the incomplete beta function, by Lentz' method.
double beta_fraction(double a, double b, double x) {
  constexpr int kMostTerms = 10'000;
  constexpr double kTiny = 1e-300, kEnough = 1e-15;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      fraction *= c * d;
    }
    if (std::abs(c * d - 1) < kEnough) break;
  }
  return fraction;
}

/// I_x(a, b) of x and 1 - x, both given since one of them may be too small to be told from the other.
double incomplete_beta(double a, double b, double x, double rest) {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(rest));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, rest) / b;
}

/// Simpson's rule.
double integral(const std::function<double(double)>& f, double from, double to, int pieces) {
  const double width = (to - from) / pieces;
  double sum = f(from) + f(to);
  for (int i = 1; i < pieces; ++i) sum += (i % 2 == 1 ? 4 : 2) * f(from + i * width);
  return sum * width / 3;
}

double student_t_density(double t, double degrees) {
  return std::exp(std::lgamma((degrees + 1) / 2) - std::lgamma(degrees / 2) -
                  (degrees + 1) / 2 * std::log1p(t * t / degrees)) /
         std::sqrt(degrees * std::numbers::pi);
}

double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

}  // namespace

double normal_probability(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}

double student_t_probability(double t, double degrees) {
  const double whole = degrees + t * t;
  const double tail = incomplete_beta(degrees / 2, 0.5, degrees / whole, t * t / whole) / 2;
  return t < 0 ? tail : 1 - tail;
}

double student_t_quantile(double probability, double degrees) {
  if (probability == 0.5) return 0;
  if (probability > 0.5) return -student_t_quantile(1 - probability, degrees);
  double low = -1, high = 0;
  while (student_t_probability(low, degrees) > probability) {
    high = low;
    low *= 2;
  }
  // Newton's steps; where one leaves what is known to hold the quantile, the middle of that.
  double t = (low + high) / 2;
  for (int i = 0; i < 200 && high - low > 1e-12 * -low; ++i) {
    const double beyond = student_t_probability(t, degrees) - probability;
    (beyond > 0 ? high : low) = t;
    const double next = t - beyond / student_t_density(t, degrees);
    if (std::abs(next - t) < 1e-13 * std::abs(t)) break;
    t = next > low && next < high ? next : (low + high) / 2;
  }
  return t;
}

double t_test_power(double difference, double sd, size_t count) {
  const double degrees = static_cast<double>(count) - 1;
  const double critical = student_t_quantile(0.975, degrees);
  const double shift = difference / sd * std::sqrt(static_cast<double>(count));
  // Given the estimated deviation, `ratio` times the true one, the test is one of a normal value. The density
  // of ratio is that of a chi over the root of its degrees of freedom.
  const double log_front = (degrees / 2) * std::log(degrees / 2) + std::log(2.0) - std::lgamma(degrees / 2);
  const auto at = [&](double ratio) {
    if (ratio <= 0) return degrees > 1 ? 0.0 : std::exp(log_front);
    const double density =
        std::exp(log_front + (degrees - 1) * std::log(ratio) - degrees * ratio * ratio / 2);
    return density *
           (normal_probability(shift - critical * ratio) + normal_probability(-shift - critical * ratio));
  };
  const double width = 8 / std::sqrt(2 * degrees);
  return integral(at, std::max(0.0, 1 - width), 1 + width, 2'000);
}

std::optional<size_t> values_needed(double difference, double sd, double power) {
  constexpr size_t kMost = 10'000;
  if (difference == 0 || t_test_power(difference, sd, kMost) < power) return std::nullopt;
  size_t low = 1, high = kMost;  // too few, enough
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    (t_test_power(difference, sd, middle) < power ? low : high) = middle;
  }
  return high;
}

double expected_maximum(size_t count) {
  const auto n = static_cast<double>(count);
  const auto at = [n](double x) {
    return n * x * normal_density(x) * std::pow(normal_probability(x), n - 1);
  };
  return integral(at, -9, 9, 4'000);
}

}  // namespace expctl
