// The overview, and lists of runs: of a sweep, or all.
#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "reports/config_stats.h"
#include "reports/page_parts.h"
#include "reports/render.h"
#include "reports/submission.h"

namespace expctl {
namespace {

/// Up to its page's number.
std::string address_of(const RunListFacts& facts, const ListChoice& choice) {
  std::vector<std::string> parts;
  if (choice.state) parts.push_back(fmt::format("state={}", name_of(*choice.state)));
  if (choice.newest_first) parts.push_back("order=newest");
  const std::string list = facts.sweep ? "/sweeps/" + facts.sweep->totals.sweep.id : "/runs";
  return parts.empty() ? list : list + "?" + join(parts, "&");
}

Json orders(const RunListFacts& facts) {
  Json list = Json::array();
  for (const bool newest : {false, true}) {
    ListChoice choice = facts.choice;
    choice.newest_first = newest;
    list.push_back({{"word", newest ? "newest first" : "best first"},
                    {"address", address_of(facts, choice)},
                    {"chosen", facts.choice.newest_first == newest}});
  }
  return list;
}

Json filters(const RunListFacts& facts) {
  Json list = Json::array();
  const auto add = [&](const std::optional<RunState>& state, const std::string& word, int64_t count) {
    ListChoice choice = facts.choice;
    choice.state = state;
    list.push_back({{"word", word},
                    {"count", count},
                    {"address", address_of(facts, choice)},
                    {"chosen", facts.choice.state == state}});
  };
  int64_t all = 0;
  for (const auto& [state, count] : facts.states) all += count;
  add({}, "all", all);
  for (const RunState state : kStateOrder) {
    if (const int64_t count = count_of(facts.states, state); count > 0)
      add(state, std::string(name_of(state)), count);
  }
  return list;
}

/// Those that have been run with several seeds; `runs` are all of the sweep.
Json configs_json(const std::vector<RunRecord>& runs) {
  const auto configs = config_stats(runs);
  const bool any = std::any_of(configs.begin(), configs.end(), [](const auto& c) { return c.scored > 1; });
  Json rows = Json::array();
  for (const auto& config : configs) {
    if (!any || config.scored == 0) continue;
    rows.push_back({{"mean", fmt::format("{:.3f}", config.mean_f1)},
                    {"sd", config.scored > 1 ? fmt::format("{:.3f}", config.sd_f1) : ""},
                    {"scored", fmt::format("{} of {}", config.scored, config.ids.size())},
                    {"params", config.params}});
  }
  return rows;
}

}  // namespace

std::string home_page(const HomeFacts& facts) {
  double sum = 0;
  const size_t averaged = std::min(kUsualAverage, facts.best.size());
  for (size_t i = 0; i < averaged; ++i) sum += facts.best[i].f1.value();
  Json states = Json::array(), sweeps = Json::array();
  for (const RunState state : kStateOrder) {
    if (const int64_t count = count_of(facts.states, state); count > 0)
      states.push_back({{"state", name_of(state)}, {"count", count}});
  }
  for (const auto& sweep : facts.sweeps) sweeps.push_back(sweep_json(sweep));
  const int64_t running = count_of(facts.states, RunState::kRunning);
  const Json page = {
      {"top_count", kUsualAverage},
      {"top_mean",
       averaged == kUsualAverage && facts.evaluated_alike ? short_score(sum / kUsualAverage) : "–"},
      {"best_f1", facts.best.empty() ? "–" : short_score(facts.best.front().f1)},
      {"best_id", facts.best.empty() ? "" : facts.best.front().id},
      {"any", !facts.states.empty()},
      {"states", states},
      {"running_table", running_table(facts.running, running)},
      {"run_table", run_table_html(facts.best, 1)},
      {"sweeps", sweeps},
      {"pager", pager(facts.place, "/?page=")}};
  return framed(facts.workspace, "Overview", PageTab::kHome, render("home.html", page, Escape::kHtml));
}

std::string run_list_page(const RunListFacts& facts) {
  constexpr size_t kLossPoints = 200;
  const std::string address = address_of(facts, facts.choice);
  const size_t first = (facts.choice.page - 1) * facts.place.page_size;
  const bool is_whole = facts.runs.size() == facts.place.count && !facts.choice.state;
  const Json configs = facts.sweep && is_whole ? configs_json(facts.runs) : Json::array();
  std::vector<Series> losses;
  for (const auto& loss : facts.losses) losses.push_back(thinned(loss, kLossPoints));
  const std::string heading = facts.sweep ? facts.sweep->totals.sweep.id : "Runs";
  const Json page = {
      {"heading", heading},
      {"name", facts.sweep ? facts.sweep->totals.sweep.name : ""},
      {"sweep", facts.sweep ? sweep_json(*facts.sweep) : Json()},
      {"running_table", running_table(facts.running, count_of(facts.states, RunState::kRunning))},
      {"loss_chart", line_chart(losses, "optimizer step", "training loss", {720, 260, true})},
      {"configs_any", !configs.empty()},
      {"configs", configs},
      {"orders", orders(facts)},
      {"filters", filters(facts)},
      {"run_table", run_table_html(facts.runs, facts.choice.newest_first ? 0 : first + 1)},
      {"pager",
       pager(facts.place, address + (address.find('?') == std::string::npos ? "?" : "&") + "page=")}};
  return framed(facts.workspace, heading, PageTab::kRuns, render("runs.html", page, Escape::kHtml));
}

}  // namespace expctl
