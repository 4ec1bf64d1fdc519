#include "reports/page_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "core/text.h"
#include "reports/leaderboard.h"
#include "reports/render.h"

namespace expctl {
namespace {

/// Widths in percent of a line, each of the class of its colour.
std::string bar(const std::vector<std::pair<std::string, double>>& parts) {
  std::string svg =
      "<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">";
  double left = 0;
  for (const auto& [colour, width] : parts) {
    svg +=
        fmt::format("<rect class=\"{}\" x=\"{:.2f}\" width=\"{:.2f}\" height=\"4\"/>", colour, left, width);
    left += width;
  }
  return svg + "</svg>";
}

}  // namespace

std::string framed(const std::string& workspace, const std::string& title, PageTab tab,
                   const std::string& main) {
  return render("page.html",
                {{"workspace", workspace},
                 {"title", title},
                 {"main", main},
                 {"at_home", tab == PageTab::kHome},
                 {"at_runs", tab == PageTab::kRuns},
                 {"at_devices", tab == PageTab::kDevices}},
                Escape::kHtml);
}

int64_t count_of(const StateCounts& states, RunState state) {
  const auto found = states.find(state);
  return found == states.end() ? 0 : found->second;
}

std::string state_bar(const StateCounts& states) {
  double total = 0;
  for (const auto& [state, count] : states) total += static_cast<double>(count);
  std::vector<std::pair<std::string, double>> parts;
  for (const RunState state : {RunState::kSucceeded, RunState::kRunning, RunState::kFailed,
                               RunState::kStopped, RunState::kPruned, RunState::kQueued}) {
    if (const int64_t count = count_of(states, state); count > 0)
      parts.emplace_back(name_of(state), 100 * static_cast<double>(count) / total);
  }
  return bar(parts);
}

std::string fraction_bar(double fraction) {
  return bar({{"running", 100 * std::clamp(fraction, 0.0, 1.0)}});
}

std::string states_text(const StateCounts& states) {
  std::vector<std::string> parts;
  for (const RunState state : kStateOrder) {
    if (const int64_t count = count_of(states, state); count > 0)
      parts.push_back(fmt::format("{} {}", count, name_of(state)));
  }
  return join(parts, ", ");
}

std::string short_score(const std::optional<double>& score) {
  return score ? fmt::format("{:.3f}", *score) : "";
}

std::string took_text(const RunRecord& run) {
  return run.started > 0 && run.ended > run.started ? duration_text(run.ended - run.started) : "";
}

Json tags_json(const RunRecord& run) {
  Json tags = Json::array();
  for (const auto& tag : run.tags) tags.push_back({{"tag", tag}});
  return tags;
}

Json live_json(const LiveRun& live) {
  const bool has_step = live.step > 0;
  return {{"bar", fraction_bar(live.fraction)},
          {"doing", live.doing},
          {"stalled", live.doing.starts_with("stalled")},
          {"step", has_step ? std::to_string(live.step) : ""},
          {"loss", has_step ? fmt::format("{:.4f}", live.loss) : ""},
          {"f1", short_score(live.f1)}};
}

std::string running_table(const std::vector<LiveRun>& running, int64_t count) {
  if (running.empty()) return "";
  Json rows = Json::array();
  for (const auto& live : running) {
    Json row = live_json(live);
    row["id"] = live.run.id;
    row["params"] = params_text(live.run);
    rows.push_back(row);
  }
  const int64_t more = count - static_cast<int64_t>(running.size());
  return render("running_table.html", {{"running", rows}, {"more", more > 0 ? Json(more) : Json()}},
                Escape::kHtml);
}

std::string run_table_html(const std::vector<RunRecord>& runs, size_t first_rank) {
  if (runs.empty()) return "";
  Json rows = Json::array();
  for (const auto& run : runs) {
    rows.push_back({{"rank", first_rank + rows.size()},
                    {"id", run.id},
                    {"tags", tags_json(run)},
                    {"state", name_of(run.state)},
                    {"reason", name_of(run.reason)},
                    {"is_scored", run.f1.has_value()},
                    {"f1", short_score(run.f1)},
                    {"exact_match", short_score(run.exact_match)},
                    {"name", run.name},
                    {"params", params_text(run)},
                    {"took", took_text(run)}});
  }
  return render("run_table.html", {{"runs", rows}, {"is_ranked", first_rank > 0}}, Escape::kHtml);
}

std::string pager(const ListPlace& place, const std::string& address) {
  if (place.count <= place.page_size) return "";
  const size_t first = (place.page - 1) * place.page_size;
  const size_t last = std::min(first + place.page_size, place.count);
  return render("pager.html",
                {{"first", std::min(first + 1, place.count)},
                 {"last", last},
                 {"count", place.count},
                 {"before", place.page > 1 ? fmt::format("{}{}", address, place.page - 1) : ""},
                 {"after", last < place.count ? fmt::format("{}{}", address, place.page + 1) : ""}},
                Escape::kHtml);
}

Json sweep_json(const SweepLine& line) {
  const SweepTotals& totals = line.totals;
  return {{"id", totals.sweep.id},
          {"name", totals.sweep.name},
          {"file", totals.sweep.file},
          {"created", local_time_text(totals.sweep.created)},
          {"bar", state_bar(totals.states)},
          {"states", states_text(totals.states)},
          {"best", totals.best},
          {"best_f1", totals.best.empty() ? "" : short_score(totals.best_f1)},
          {"eta", line.eta_s >= 0 ? duration_text(line.eta_s) : ""}};
}

void add_chart(Json& charts, const Series& series, const std::string& x_label, bool is_noisy) {
  constexpr size_t kPoints = 400, kMeans = 60;
  std::vector<Series> drawn = {extremes(series, kPoints)};
  if (is_noisy && series.points.size() > kMeans) drawn.push_back(thinned(series, kMeans));
  const std::string svg = line_chart(drawn, x_label, series.name, {340, 210, false});
  if (svg.empty()) return;
  charts.push_back({{"name", series.name},
                    {"last", fmt::format("{:.4g}", drawn.front().points.back().second)},
                    {"svg", svg}});
}

std::string message_page(const std::string& workspace, const std::string& title, const std::string& text) {
  return framed(workspace, title, PageTab::kNone,
                render("message.html", {{"heading", title}, {"text", text}}, Escape::kHtml));
}

}  // namespace expctl
