// What small samples need: Student's t with any degrees of freedom, the power of a t test, the largest of
// several normal values. By Boost.Math.
#pragma once

#include <cstddef>
#include <optional>

namespace expctl {

/// P(Z <= x) of a standard normal Z.
double normal_probability(double x);

/// The t with P(T <= t) = `probability`, 0 < probability < 1; `degrees` > 0 need not be whole.
double student_t_quantile(double probability, double degrees);

/// The chance that a two-sided t test at 5 % of `count` >= 2 values finds their mean other than zero, where
/// it is `difference` and their standard deviation `sd` > 0: the noncentral t (Cohen 1988, chapter 2).
double t_test_power(double difference, double sd, size_t count);

/// The fewest values with which that test has the power, 80 % as usual; nothing where it is more than 10,000.
std::optional<size_t> values_needed(double difference, double sd, double power = 0.8);

/// What the standard deviation that `sd` estimates, with `degrees` > 0 of freedom, does not exceed with 90 %.
double sd_upper_limit(double sd, double degrees);

/// The expected largest of `count` >= 1 independent standard normal values. To 1e-8.
double expected_maximum(size_t count);

}  // namespace expctl
