#include "reports/workspace_report.h"

#include <catch2/catch.hpp>
#include <regex>

#include "reports/dot_chart.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

RunRecord run(const std::string& id, double f1, Json params, int64_t seed) {
  RunRecord record;
  record.id = id;
  record.sweep_id = "sweep1";
  record.name = "lr";
  record.state = RunState::kSucceeded;
  record.f1 = f1;
  record.exact_match = f1 - 10;
  record.params = std::move(params);
  record.seed = seed;
  record.config_hash = record.params.dump();
  record.spec = to_json(RunSpec{});
  return record;
}

WorkspaceFacts facts() {
  WorkspaceFacts all;
  all.workspace = "/tmp/<b>runs</b>";
  all.version = "0.1.0";
  all.runs = {run("run1", 90, {{"learning_rate", 3e-5}}, 1), run("run2", 89, {{"learning_rate", 3e-5}}, 2),
              run("run3", 88, {{"learning_rate", 1e-5}}, 1)};
  RunRecord failed = run("run4", 0, {{"learning_rate", 9.0}}, 1);
  failed.f1.reset();
  failed.state = RunState::kFailed;
  failed.reason = FailReason::kDiverged;
  failed.message = "loss is nan | <script>alert(1)</script>\nsecond line";
  all.runs.push_back(failed);
  all.losses = {{"run1", {{1, 3.0}, {2, 2.0}}}};
  all.attempts = {{"CPU", "run1", "succeeded", 100, 160}, {"CPU", "run2", "failed", 130, 190}};
  all.latencies = {{"run1", {1, 2, 3, 4, 5}, 250}};
  all.lengths = {{"run1", {{128, 87.5}, {384, 90}}}};
  all.environments = {{"host a, cpu b", 3}};
  return all;
}

size_t count_of(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++count;
  return count;
}

}  // namespace

TEST_CASE("workspace report: one page without script or outside resource, every value escaped", "[reports]") {
  const std::string html = workspace_html(facts());
  CHECK_THAT(html, !Contains("<script") && !Contains("<b>runs") && Contains("&lt;b&gt;runs"));
  CHECK_THAT(html, !Contains("src=") && !Contains("href=") && !Contains("url(") && !Contains("http"));
  CHECK_THAT(html, Contains("prefers-color-scheme: dark") && Contains("@media print"));
  for (const char* section :
       {"Leaderboard", "Training loss", "F1 against each parameter", "over their seeds",
        "F1 at other lengths", "What ran where", "Inference", "Failures", "Environment"})
    CHECK_THAT(html, Contains(section));
  CHECK_THAT(html, Contains("87.500 at 128, 90.000 at 384") && Contains("diverged"));
  CHECK_THAT(html, !Contains("{{"));
}

TEST_CASE("workspace report: of an empty workspace it says that nothing is there", "[reports]") {
  WorkspaceFacts none;
  none.workspace = "w";
  const std::string html = workspace_html(none);
  CHECK_THAT(html, Contains("Nothing is scored yet") && !Contains("<svg") && !Contains("Failures"));
  CHECK_THAT(workspace_markdown(none), Contains("# Experiments in w") && !Contains("Failures"));
}

TEST_CASE("workspace report: in Markdown no value breaks its table", "[reports]") {
  const std::string text = workspace_markdown(facts());
  CHECK_THAT(text, Contains("loss is nan \\| <script>alert(1)</script> second line"));
  CHECK_THAT(text, Contains("| 1 | run1 | 90.000 | 80.000 | lr | learning_rate=3e-05 seed=1 |"));
  // t(1, 95 %) = 6.3138 of one degree, the variance of the difference 0.5 / 2 + 0.5 / 1.
  CHECK_THAT(text, Contains("| 1 | 89.500 | 0.707 | 2 of 2 | -3.968 to +6.968 | lr | learning_rate=3e-05 |"));
  CHECK_THAT(
      text,
      Contains(
          "2 of 2 configs may still be the best (95 % confidence for all statements together, over seeds, on "
          "these questions)."));
  CHECK_THAT(text, !Contains("looks"));  // the noise of a run is not known
}

TEST_CASE("workspace report: how sure the two best are apart, and how much better than it is the best looks",
          "[reports]") {
  WorkspaceFacts known = facts();
  ConfigDifference difference;
  difference.f1 = 0.5;
  difference.is_paired = true;
  difference.interval = {-0.25, 1.25, 0.3, 9, 1, 0.1, 9};
  known.leading = LeadingConfigs{difference, 0.5};
  for (const std::string& text : {workspace_html(known), workspace_markdown(known)}) {
    CHECK_THAT(text, Contains("configuration 1 - configuration 2: F1 +0.5000, 95 % interval over seeds, which are the same, and "
                              "paragraphs -0.2500 to +1.2500"));
    CHECK_THAT(text,
               Contains("To find a difference of 0.50 on these questions (80 % power, two-sided 5 %): 34 "
                        "seeds of each, the same for both (up to "));  // an effect of half a deviation
    CHECK_THAT(text, Contains("A difference below 0.28 cannot be shown for new questions"));
    CHECK_THAT(text, Contains("The best of 3 runs, run1, looks 0."));
    CHECK_THAT(text, Contains("Its score is 0.50 above the mean of its config") &&
                         Contains("luck alone gives 0.40 to the best of 2."));
  }
}

TEST_CASE("dot chart: a column a value, a dot a run, the mean of several", "[reports]") {
  const std::string svg = dot_chart({{"1e-05", {88}}, {"3e-05", {90, 89, NAN}}}, "rate <x>", "F1");
  CHECK(count_of(svg, "<circle") == 3);
  CHECK(count_of(svg, "class=\"mean\"") == 1);
  CHECK_THAT(svg, Contains("rate &lt;x&gt;") && Contains(">1e-05</text>") && Contains("3e-05: 89.000"));
  CHECK(dot_chart({{"a", {NAN}}}, "x", "y").empty());
}

TEST_CASE("timeline: spans that overlap are in rows of their own, long idle times are cut out", "[reports]") {
  const std::string svg = timeline_chart({{"CPU", "run1", "succeeded", 0, 60},
                                          {"CPU", "run2", "failed", 30, 90},
                                          {"CPU", "run3", "succeeded", 100'000, 100'060},
                                          {"GPU 0", "run4", "running", 100'000, 100'050}});
  CHECK(count_of(svg, "<rect") == 4);
  CHECK(count_of(svg, "class=\"cut\"") == 1);
  CHECK_THAT(svg,
             Contains("idle times are cut out") && Contains(">GPU 0</text>") && Contains("class=\"failed\""));
  // run1 and run3 share a row, run2 has one below.
  std::vector<double> ys;
  const std::regex y("<rect class=\"[a-z]+\" x=\"[0-9.]+\" y=\"([0-9.]+)\"");
  for (std::sregex_iterator i(svg.begin(), svg.end(), y), end; i != end; ++i)
    ys.push_back(std::stod((*i)[1]));
  REQUIRE(ys.size() == 4);
  CHECK(ys[0] == ys[2]);
  CHECK(ys[1] > ys[0]);
  CHECK(ys[3] > ys[1]);
  CHECK(timeline_chart({{"CPU", "run1", "queued", 5, 5}}).empty());
}
