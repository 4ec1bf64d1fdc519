#include "reports/scatter_chart.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <regex>

using namespace expctl;

namespace {

/// The x of each dot, in order.
std::vector<double> dots(const std::string& svg) {
  const std::regex circle("<circle cx=\"([0-9.]+)\"");
  std::vector<double> found;
  for (std::sregex_iterator i(svg.begin(), svg.end(), circle), end; i != end; ++i)
    found.push_back(std::stod((*i)[1]));
  return found;
}

}  // namespace

TEST_CASE("scatter_chart: numbers over more than a decade stand at their logarithms", "[reports]") {
  CHECK(wants_log_axis({1e-5, 3e-5, 1.1e-4}));
  CHECK_FALSE(wants_log_axis({1e-5, 1e-4}));
  CHECK_FALSE(wants_log_axis({0, 1e-4}));
  CHECK_FALSE(wants_log_axis({}));
  const std::string log = scatter_chart({{1e-5, 80, "a"}, {1e-4, 81, "b"}, {1e-3, 82, "<c>"}}, "rate", "F1");
  const auto x = dots(log);
  REQUIRE(x.size() == 3);
  CHECK(x[1] - x[0] == Approx(x[2] - x[1]));
  CHECK_THAT(log, Catch::Contains("rate (log)") && Catch::Contains(">2e-05<") &&
                      Catch::Contains("<title>&lt;c&gt;</title>"));
  const auto linear = dots(scatter_chart({{0, 80, "a"}, {0.1, 81, "b"}, {0.4, 82, "c"}}, "part", "F1"));
  REQUIRE(linear.size() == 3);
  CHECK(linear[2] - linear[1] == Approx(3 * (linear[1] - linear[0])).epsilon(0.01));
}

TEST_CASE("scatter_chart: what is not finite is left out, and one value or equal ones are no trouble",
          "[reports]") {
  CHECK(scatter_chart({}, "x", "F1").empty());
  CHECK(scatter_chart({{NAN, 1, ""}, {1, INFINITY, ""}}, "x", "F1").empty());
  CHECK(dots(scatter_chart({{3, 80, ""}}, "x", "F1")).size() == 1);
  const std::string equal = scatter_chart({{3, 80, ""}, {3, 80, ""}}, "x", "F1");
  CHECK(dots(equal).size() == 2);
  CHECK_THAT(equal, !Catch::Contains("nan"));
}
