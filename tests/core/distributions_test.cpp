#include "core/distributions.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/counter_random.h"

using namespace expctl;

TEST_CASE("Student's t: quantiles are those of the printed tables", "[core]") {
  CHECK(student_t_quantile(0.975, 1) == Approx(12.7062047).epsilon(1e-8));
  CHECK(student_t_quantile(0.975, 2) == Approx(4.30265273).epsilon(1e-8));
  CHECK(student_t_quantile(0.975, 5) == Approx(2.57058184).epsilon(1e-8));
  CHECK(student_t_quantile(0.95, 10) == Approx(1.81246112).epsilon(1e-8));
  CHECK(student_t_quantile(0.025, 30) == Approx(-2.04227246).epsilon(1e-8));
  CHECK(student_t_quantile(0.5, 7.3) == Approx(0).margin(1e-12));
  CHECK(student_t_quantile(0.975, 1e7) == Approx(1.95996).epsilon(1e-5));
  CHECK(normal_probability(1.959963985) == Approx(0.975).epsilon(1e-9));
}

TEST_CASE("limit of a standard deviation: the printed table of chi squared", "[core]") {
  CHECK(sd_upper_limit(2, 1) == Approx(2 / std::sqrt(0.0157908)).epsilon(1e-5));
  CHECK(sd_upper_limit(1, 10) == Approx(std::sqrt(10 / 4.86518)).epsilon(1e-5));
}

TEST_CASE("t test: its power is how often drawn samples are significant, the sample sizes are Cohen's",
          "[core]") {
  for (const auto& [count, effect] : {std::pair{size_t{3}, 2.0}, {size_t{5}, 1.0}, {size_t{20}, 0.5}}) {
    constexpr int kSamples = 20'000;
    CounterRandom random(count);
    int significant = 0;
    for (int sample = 0; sample < kSamples; ++sample) {
      double sum = 0, squares = 0;
      for (size_t i = 0; i < count; ++i) {
        const double value = effect + random.normal();
        sum += value;
        squares += value * value;
      }
      const auto n = static_cast<double>(count);
      const double mean = sum / n, variance = (squares - n * mean * mean) / (n - 1);
      significant += std::abs(mean) > student_t_quantile(0.975, n - 1) * std::sqrt(variance / n) ? 1 : 0;
    }
    INFO(count << " values, effect " << effect);
    const double share = static_cast<double>(significant) / kSamples;
    CHECK(t_test_power(effect, 1, count) == Approx(share).margin(0.018));  // five standard errors
    CHECK(t_test_power(-2 * effect, 2, count) == Approx(t_test_power(effect, 1, count)));
  }
  // Effects of 0.2, 0.5, 0.8 at 80 %, as power tables and G*Power have them for one sample.
  CHECK(values_needed(0.2, 1) == size_t{199});
  CHECK(values_needed(0.5, 1) == size_t{34});
  CHECK(values_needed(0.8, 1) == size_t{15});
  CHECK_FALSE(values_needed(0, 1).has_value());
  CHECK_FALSE(values_needed(1e-4, 1).has_value());
  // Hardly any deviation: two values show it.
  CHECK(values_needed(1, 1e-15) == size_t{2});
  CHECK(t_test_power(2, 1e-3, 2) == 1);
}

TEST_CASE("expected maximum: the known values of normal order statistics, and drawn ones", "[core]") {
  CHECK(expected_maximum(1) == Approx(0).margin(1e-8));
  CHECK(expected_maximum(2) == Approx(1 / std::sqrt(M_PI)).margin(1e-8));
  CHECK(expected_maximum(3) == Approx(1.5 / std::sqrt(M_PI)).margin(1e-8));
  CHECK(expected_maximum(10) == Approx(1.5387527308).margin(1e-8));
  CounterRandom random(1);
  double mean = 0;
  for (int i = 0; i < 4000; ++i) {
    double best = -9;
    for (int j = 0; j < 24; ++j) best = std::max(best, random.normal());
    mean += best / 4000;
  }
  CHECK(expected_maximum(24) == Approx(mean).margin(0.04));  // five standard errors
}
