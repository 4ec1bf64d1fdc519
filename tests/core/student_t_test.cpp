#include "core/student_t.h"

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/counter_random.h"

using namespace expctl;

TEST_CASE("Student's t: probabilities and quantiles are Boost.Math's", "[core]") {
  for (const double degrees : {0.5, 1.0, 1.7, 2.0, 7.3, 30.0, 300.0, 1e5, 1e7}) {
    const boost::math::students_t law(degrees);
    INFO(degrees << " degrees of freedom");
    for (const double t : {-40.0, -3.0, -0.1, 0.0, 0.5, 2.0, 6.0})
      CHECK(student_t_probability(t, degrees) == Approx(boost::math::cdf(law, t)).margin(1e-8));
    for (const double p : {1e-4, 0.005, 0.025, 0.3, 0.5, 0.9, 0.975})
      CHECK(student_t_quantile(p, degrees) ==
            Approx(boost::math::quantile(law, p)).epsilon(1e-7).margin(1e-12));
  }
}

TEST_CASE("t test: its power is that of the noncentral t, the sample sizes are Cohen's", "[core]") {
  for (const size_t count : {2, 3, 5, 20, 1000}) {
    const double degrees = static_cast<double>(count) - 1;
    const double critical = boost::math::quantile(boost::math::students_t(degrees), 0.975);
    for (const double effect : {0.1, 0.5, 1.0, 5.0}) {
      const boost::math::non_central_t law(degrees, effect * std::sqrt(static_cast<double>(count)));
      INFO(count << " values, effect " << effect);
      const double expected = 1 - boost::math::cdf(law, critical) + boost::math::cdf(law, -critical);
      CHECK(t_test_power(effect, 1, count) == Approx(expected).margin(1e-6));
      CHECK(t_test_power(-2 * effect, 2, count) == Approx(expected).margin(1e-6));
    }
  }
  // Effects of 0.2, 0.5, 0.8 at 80 %, as power tables and G*Power have them for one sample.
  CHECK(values_needed(0.2, 1) == size_t{199});
  CHECK(values_needed(0.5, 1) == size_t{34});
  CHECK(values_needed(0.8, 1) == size_t{15});
  CHECK_FALSE(values_needed(0, 1).has_value());
  CHECK_FALSE(values_needed(1e-4, 1).has_value());
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
