#include "reports/line_chart.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace expctl;
using Catch::Matchers::Contains;

TEST_CASE("line chart: corners of the plot are the extremes of the data", "[reports]") {
  const std::string svg = line_chart({{"run1", {{0, 5}, {10, 1}}}}, "step", "loss");
  CHECK_THAT(svg, Contains("points=\"56.0,12.0 570.0,256.0 \""));
  CHECK_THAT(svg, Contains(">run1</text>") && Contains(">step</text>") && Contains(">loss</text>"));
  CHECK_THAT(svg, Contains(">2</text>") && Contains(">4</text>") && Contains(">10</text>"));
}

TEST_CASE("line chart: nothing to draw, one point, and values that are not finite", "[reports]") {
  CHECK(line_chart({}, "x", "y").empty());
  CHECK(line_chart({{"a", {}}, {"b", {{NAN, 1}}}}, "x", "y").empty());
  CHECK_THAT(line_chart({{"a", {{1, 1}}}}, "x", "y"), Contains("points=\"313.0,134.0 \""));
  CHECK_THAT(line_chart({{"a", {{0, 0}, {1, INFINITY}, {2, 1}}}}, "x", "y"),
             Contains("points=\"56.0,256.0 570.0,12.0 \""));
}

TEST_CASE("line chart: names are escaped", "[reports]") {
  CHECK_THAT(line_chart({{"<b>&", {{0, 0}, {1, 1}}}}, "x", "y"), Contains("&lt;b&gt;&amp;"));
}

TEST_CASE("line chart: thinning takes means of equal stretches", "[reports]") {
  const Series series{"a", {{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 50}}};
  CHECK(thinned(series, 2).points == std::vector<std::pair<double, double>>{{2, 20}, {4.5, 45}});
  CHECK(thinned(series, 5).points == series.points);
  CHECK(thinned(series, 100).points == series.points);
}
