#include "reports/render.h"

#include <catch2/catch.hpp>

using namespace expctl;
using Catch::Matchers::Contains;

TEST_CASE("render: HTML is escaped, and an empty section is left out", "[reports]") {
  const Json facts = {
      {"top_mean_short", "<1>"}, {"entries", Json::array()}, {"sweeps", Json::array()}, {"loss_chart", ""}};
  const std::string html = render("report.html", facts, Escape::kHtml);
  CHECK_THAT(html, Contains("<title>Mean F1 &lt;1&gt;</title>"));
  CHECK_THAT(html, Contains("No run has left metrics.") && !Contains("<svg"));
}

TEST_CASE("render: lists, numbers with every digit, and plain text as it is", "[reports]") {
  const Json facts = {{"top_mean", "88.61239393038589"},
                      {"average", 3},
                      {"count", 5},
                      {"entries", {{{"folder", "run1"}, {"id", "a&b"}, {"f1", 88.61239393038589}}}}};
  const std::string text = render("readme.md", facts, Escape::kNone);
  CHECK_THAT(text, Contains("# Submission: mean F1 88.61239393038589 (best 3 of 5)"));
  CHECK_THAT(text, Contains("| run1 | a&b | 88.61239393038589 |"));
}
