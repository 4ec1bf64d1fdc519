#include "reports/pages.h"

#include <fmt/core.h>

#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

const std::string kScript = "<script>alert('x')</script>\" onload=\"alert(1)";

RunRecord run_named(const std::string& id, const std::string& name) {
  RunRecord run;
  run.id = id;
  run.name = name;
  run.sweep_id = "sweep1";
  run.state = RunState::kSucceeded;
  run.f1 = 87.25;
  run.exact_match = 79.5;
  run.params["mode"] = name;
  run.started = 100;
  run.ended = 190;
  return run;
}

/// A run whose every text is `text`.
RunFacts run_of(const std::string& text) {
  RunFacts facts;
  facts.workspace = text;
  facts.entry.run = run_named("run1", text);
  facts.entry.run.message = text;
  facts.entry.run.tags = {text};
  facts.entry.run.spec = {{"command", {{"argv", {text}}}}};
  facts.entry.evaluations = {{"run1", text, 87.25, 79.5, {{"window", text}}}};
  facts.entry.artifacts = {{"run1", text, 12, text}};
  facts.entry.attempts = {{"run1", 1, text, 100, 190, "succeeded", FailReason::kNone}};
  facts.members = {run_named("run2", text)};
  facts.live = LiveRun{facts.entry.run, 5, 1.5, 80.5, 0.5, 60, text};
  facts.log_end = text + "\n";
  facts.folder = text;
  return facts;
}

RunListFacts list_of(size_t count, const std::string& text = "lr") {
  RunListFacts facts;
  facts.sweep =
      SweepLine{{{"sweep1", text, text, 100, ""}, {{RunState::kSucceeded, 250}}, "run1", 87.25}, 60};
  facts.states = facts.sweep->totals.states;
  for (size_t i = 1; i <= count; ++i) facts.runs.push_back(run_named(fmt::format("run{}", i), text));
  facts.place.count = 250;
  return facts;
}

DeviceFacts devices_of(const std::string& text) {
  DeviceFacts facts;
  facts.workspace = facts.host = text;
  facts.gpus = {{0, "GPU-a", text, int64_t{80} << 30, int64_t{40} << 30, 97, 512.5, 1980}};
  DeviceUse use;
  use.live = {run_named("run1", text), 0, 0, {}, 0.5, -1, text};
  use.host = text;
  use.gpus = {"GPU-a", text};
  use.threads = 8;
  use.cpu_ids = {4, 0, 1, 2, 9};
  use.curves = {{text, {"", {{880, 50}, {940, 97}}}, {"", {{880, 1}, {940, 40}}}}};
  facts.uses = {use};
  facts.now = 1000;
  return facts;
}

/// Every page with `text` wherever a text can stand.
std::vector<std::string> pages_with(const std::string& text) {
  HomeFacts home;
  home.workspace = text;
  home.best = {run_named("run1", text)};
  home.running = {{run_named("run1", text), 5, 1.5, {}, 0.5, 60, text}};
  home.sweeps = {{{{"sweep1", text, text, 100, ""}, {{RunState::kRunning, 1}}, "run1", 87}, 60}};
  LogFacts log{text, run_named("run1", text), text, 0};
  RunListFacts list = list_of(3, text);
  list.workspace = text;
  list.losses = {{text, {{1, 2}, {2, 1}}}};
  return {home_page(home), run_list_page(list),           run_page(run_of(text)),
          log_page(log),   device_page(devices_of(text)), message_page(text, text, text)};
}

}  // namespace

TEST_CASE("pages: a script in any text of a workspace stays text", "[reports]") {
  const auto plain = pages_with("plain"), pages = pages_with(kScript);
  for (size_t i = 0; i < pages.size(); ++i) {
    INFO(pages[i]);
    CHECK_THAT(plain[i], Contains("plain"));
    CHECK_THAT(pages[i], Contains("&lt;script&gt;alert("));
    CHECK_THAT(pages[i], !Contains("<script>") && !Contains("\" onload=") && !Contains("('x')</script>\""));
  }
}

TEST_CASE("pages: nothing outside is asked for, and no style or script stands in the page", "[reports]") {
  for (const auto& page : pages_with("plain")) {
    INFO(page);
    CHECK_THAT(page, !Contains("src=\"http") && !Contains("href=\"http") && !Contains("<style") &&
                         !Contains(" style=") && !Contains("@import") && !Contains("url("));
    CHECK_THAT(page, Contains("<script src=\"/live.js\" defer></script>") && Contains("href=\"/style.css\""));
  }
}

TEST_CASE("pages: of an empty registry", "[reports]") {
  CHECK_THAT(home_page({}), Contains("There are no runs yet: <code>expctl sweep FILE</code>"));
  CHECK_THAT(run_list_page({}), Contains("None."));
  CHECK_THAT(device_page({}), Contains("None that this program can see.") && Contains("Nothing is running."));
}

TEST_CASE("pages: the overview has the mean of the best three only where there are three", "[reports]") {
  HomeFacts facts;
  for (const double f1 : {90.0, 88.0}) {
    facts.best.push_back(run_named(fmt::format("run{}", facts.best.size() + 1), "lr"));
    facts.best.back().f1 = f1;
  }
  CHECK_THAT(home_page(facts), Contains("best 3</dt><dd>–</dd>") && Contains("90.000"));
  facts.best.push_back(run_named("run3", "lr"));
  facts.best.back().f1 = 86.5;
  CHECK_THAT(home_page(facts), Contains("best 3</dt><dd>88.167</dd>"));
  facts.evaluated_alike = false;
  CHECK_THAT(home_page(facts), Contains("best 3</dt><dd>–</dd>"));
}

TEST_CASE("pages: a long list leads on and back, and keeps what was chosen", "[reports]") {
  RunListFacts facts = list_of(100);
  CHECK_THAT(run_list_page(facts), Contains("1 to 100 of 250") &&
                                       Contains("href=\"/sweeps/sweep1?page=2\"") && !Contains("← before"));
  facts.choice = {RunState::kSucceeded, true, 3};
  facts.place.page = 3;
  CHECK_THAT(run_list_page(facts),
             Contains("201 to 250 of 250") && !Contains("further →") &&
                 Contains("href=\"/sweeps/sweep1?state=succeeded&amp;order=newest&amp;page=2\""));
  CHECK_THAT(run_list_page(facts), Contains("best F1 87.250") && Contains("about 1 min 0 s left"));
}

TEST_CASE("pages: a run's attempts do not borrow what the run itself has", "[reports]") {
  RunFacts facts = run_of("lr");
  facts.entry.run.state = RunState::kFailed;
  facts.entry.run.reason = FailReason::kDiverged;
  const std::string page = run_page(facts);
  CHECK_THAT(page, Contains("<p class=\"warn\">diverged</p>") && !Contains("<span class=\"quiet\">diverged"));
}

TEST_CASE("pages: devices say who has which GPU and which cores", "[reports]") {
  const std::string page = device_page(devices_of("x"));
  CHECK_THAT(page, Contains("1 of 1") && Contains("97 %") && Contains("40.0 of 80.0 GiB") &&
                       Contains("512 W") && Contains("1980 MHz"));
  CHECK_THAT(page, Contains("<td>0, x</td>") && Contains("<td>0-2, 4, 9</td>") && Contains("busy, %"));
  DeviceFacts elsewhere = devices_of("x");
  elsewhere.uses.front().host = "node7";
  CHECK_THAT(device_page(elsewhere), Contains("0 of 1") && Contains("none of ours") && Contains("node7"));
}

TEST_CASE("pages: a log that is long says how much is left out", "[reports]") {
  const LogFacts facts{"", run_named("run1", "lr"), "half a line\n<b>whole\n", 1234};
  CHECK_THAT(log_page(facts),
             Contains("1234 bytes") && Contains("&lt;b&gt;whole") && !Contains("half a line"));
}
