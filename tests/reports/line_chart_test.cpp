#include "reports/line_chart.h"

#include <algorithm>
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

TEST_CASE("line chart: a name cannot end the attribute that it stands in", "[reports]") {
  const std::string svg = line_chart({{"a", {{0, 0}, {1, 1}}}}, "x", "\" onload=\"alert(1)");
  CHECK_THAT(svg, Contains("aria-label=\"&quot; onload=&quot;alert(1) by x\""));
}

TEST_CASE("line chart: few points are dots too, and a page's shape has no legend", "[reports]") {
  CHECK_THAT(line_chart({{"a", {{1, 1}}}}, "x", "y"), Contains("<circle cx=\"313.0\" cy=\"134.0\""));
  const std::string svg = line_chart({{"run1", {{0, 5}, {10, 1}}}}, "step", "loss", {440, 230, false});
  CHECK_THAT(svg, Contains("viewBox=\"0 0 440 230\"") && Contains("points=\"56.0,12.0 426.0,186.0 \""));
  CHECK_THAT(svg, !Contains("run1"));
}

TEST_CASE("line chart: extremes keep every spike, the first and the last point", "[reports]") {
  Series series{"a", {}};
  for (int i = 0; i < 100'000; ++i) series.points.emplace_back(i, i % 7);
  series.points[31'415].second = 1000;
  series.points[92'653].second = -1000;
  const auto thin = extremes(series, 400).points;
  CHECK(thin.size() <= 402);
  CHECK(thin.size() > 300);
  CHECK(std::is_sorted(thin.begin(), thin.end()));
  CHECK(std::adjacent_find(thin.begin(), thin.end()) == thin.end());
  for (const int kept : {0, 31'415, 92'653, 99'999})
    CHECK(std::count(thin.begin(), thin.end(), series.points[static_cast<size_t>(kept)]) == 1);
}

TEST_CASE("line chart: extremes of little, of nothing, and of values that are not finite", "[reports]") {
  CHECK(extremes({"a", {}}, 400).points.empty());
  const Series few{"a", {{1, 10}, {2, 20}, {3, 30}}};
  CHECK(extremes(few, 4).points == few.points);
  CHECK(extremes({"a", {{1, NAN}, {2, 20}, {3, INFINITY}}}, 4).points ==
        std::vector<std::pair<double, double>>{{2, 20}});
  CHECK(extremes({"a", {{1, NAN}}}, 4).points.empty());
  CHECK(extremes({"a", {{1, 5}, {2, 9}, {3, 1}, {4, 2}}}, 0).points ==
        std::vector<std::pair<double, double>>{{1, 5}, {2, 9}, {3, 1}, {4, 2}});
}

TEST_CASE("line chart: a file of its own says what it is, a part of a page does not", "[reports]") {
  const std::vector<Series> series = {{"a", {{1, 2}, {2, 3}}}};
  ChartShape file;
  file.is_file = true;
  CHECK_THAT(line_chart(series, "x", "y", file),
             Catch::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  CHECK_THAT(line_chart(series, "x", "y"), Catch::StartsWith("<svg viewBox="));
}
