#include "reports/workspace_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/clock.h"
#include "core/text.h"
#include "reports/config_stats.h"
#include "reports/config_verdict.h"
#include "reports/dot_chart.h"
#include "reports/leaderboard.h"
#include "reports/page_parts.h"
#include "reports/render.h"
#include "reports/scatter_chart.h"
#include "reports/templates.h"

namespace expctl {
namespace {

/// Values of a parameter as they stand on an axis: numbers by size, then texts.
bool comes_before(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() < b.get<double>();
  if (a.is_number() != b.is_number()) return a.is_number();
  return a.dump() < b.dump();
}

/// Values that stand in no list are so many that each has a column to itself: an axis shows them better.
bool is_drawn_from_range(const std::vector<DotColumn>& columns,
                         const std::vector<std::pair<Json, double>>& points) {
  constexpr size_t kMostListed = 8;
  const bool are_numbers =
      std::all_of(points.begin(), points.end(), [](const auto& point) { return point.first.is_number(); });
  return are_numbers && columns.size() > kMostListed;
}

std::string number_chart(const std::string& key, const std::vector<std::pair<Json, double>>& points) {
  std::vector<ScatterPoint> dots;
  for (const auto& [value, f1] : points)
    dots.push_back({value.get<double>(), f1, fmt::format("{}: {:.3f}", scalar_text(value), f1)});
  return scatter_chart(dots, key, "F1");
}

/// A chart for each parameter that scored runs have two values of or more.
Json parameter_charts(const std::vector<RunRecord>& runs) {
  std::map<std::string, std::vector<std::pair<Json, double>>> by_key;
  for (const auto& run : runs) {
    if (!run.f1) continue;
    for (const auto& [key, value] : run.params.items()) by_key[key].emplace_back(value, *run.f1);
  }
  Json charts = Json::array();
  for (auto& [key, points] : by_key) {
    std::stable_sort(points.begin(), points.end(),
                     [](const auto& a, const auto& b) { return comes_before(a.first, b.first); });
    std::vector<DotColumn> columns;
    for (const auto& [value, f1] : points) {
      const std::string name = scalar_text(value);
      if (columns.empty() || columns.back().name != name) columns.push_back({name, {}});
      columns.back().values.push_back(f1);
    }
    if (columns.size() < 2) continue;
    charts.push_back({{"name", key},
                      {"svg", is_drawn_from_range(columns, points) ? number_chart(key, points)
                                                                   : dot_chart(columns, key, "F1")}});
  }
  return charts;
}

/// F1 of the seeds of each configuration that has several, the best mean first.
std::string seed_chart(const std::vector<RunRecord>& runs, const std::vector<ConfigStats>& configs) {
  constexpr size_t kMost = 30;
  std::map<std::string, double> f1_of;
  for (const auto& run : runs) {
    if (run.f1) f1_of[run.id] = *run.f1;
  }
  std::vector<DotColumn> columns;
  for (const auto& config : configs) {
    if (config.scored < 2 || columns.size() == kMost) continue;
    columns.push_back({std::to_string(columns.size() + 1), {}});
    for (const auto& id : config.ids) {
      if (f1_of.contains(id)) columns.back().values.push_back(f1_of.at(id));
    }
  }
  return dot_chart(columns, "configuration, as numbered below", "F1");
}

Json config_rows(const std::vector<ConfigStats>& configs, const std::vector<std::optional<GapToBest>>& gaps) {
  Json rows = Json::array();
  for (size_t i = 0; i < configs.size(); ++i) {
    const ConfigStats& config = configs[i];
    if (config.scored == 0) continue;
    rows.push_back({{"number", rows.size() + 1},
                    {"mean", fmt::format("{:.3f}", config.mean_f1)},
                    {"sd", config.scored > 1 ? fmt::format("{:.3f}", config.sd_f1) : ""},
                    {"scored", fmt::format("{} of {}", config.scored, config.ids.size())},
                    {"gap", gaps[i] ? gap_text(*gaps[i]) : ""},
                    {"may_be_best", gaps[i] && gaps[i]->may_be_best},
                    {"name", config.name},
                    {"params", config.params}});
  }
  return rows;
}

/// What is to be said of configs beneath their table: a sentence each.
Json config_notes(const WorkspaceFacts& facts, const std::vector<std::optional<GapToBest>>& gaps,
                  const std::optional<SeedNoise>& noise) {
  Json notes = Json::array();
  std::vector<GapToBest> known;
  for (const auto& gap : gaps) {
    if (gap) known.push_back(*gap);
  }
  if (const auto text = contenders_text(known, "seeds, on these questions"); !text.empty())
    notes.push_back({{"text", text}});
  if (!facts.leading || !facts.leading->difference) return notes;
  const auto& difference = facts.leading->difference;
  std::string text = "The two best, over the questions too: " +
                     difference_text("configuration 2", "configuration 1", *difference) + ".";
  if (const auto plan = seed_plan(*difference, 0, noise)) text += " " + seed_plan_text(*plan);
  notes.push_back({{"text", text}});
  return notes;
}

/// How much better than it is the best run looks; "" where it is not known.
std::string optimism_note(const WorkspaceFacts& facts) {
  if (!facts.leading || facts.leading->noise_sd == 0) return "";
  std::vector<RunRecord> runs;
  for (const auto& run : facts.runs) {
    if (!run.is_ensemble()) runs.push_back(run);
  }
  const auto looks = best_looks(runs, facts.leading->noise_sd);
  return looks ? best_looks_text(*looks) : "";
}

Json entry_row(const RunRecord& run, size_t rank) {
  return {{"rank", rank},
          {"id", run.id},
          {"tags", tags_json(run)},
          {"state", name_of(run.state)},
          {"f1", short_score(run.f1)},
          {"exact_match", short_score(run.exact_match)},
          {"name", run.name},
          {"params", params_text(run)},
          {"took", took_text(run)}};
}

Json leaders(const WorkspaceFacts& facts, size_t most) {
  std::set<std::string> averaged;
  for (size_t i = 0; facts.picked && i < facts.picked->average; ++i)
    averaged.insert(facts.picked->entries[i].record.id);
  std::set<std::string> picked;
  if (facts.picked) {
    for (const auto& entry : facts.picked->entries) picked.insert(entry.record.id);
  }
  Json rows = Json::array();
  for (const auto& run : facts.runs) {
    if (!run.f1 || rows.size() == most) break;
    rows.push_back(entry_row(run, rows.size() + 1));
    rows.back()["picked"] = picked.contains(run.id);
    rows.back()["averaged"] = averaged.contains(run.id);
  }
  return rows;
}

Json failures(const std::vector<RunRecord>& runs) {
  Json rows = Json::array();
  for (const auto& run : runs) {
    if (run.state != RunState::kFailed) continue;
    rows.push_back({{"id", run.id},
                    {"reason", name_of(run.reason)},
                    {"message", run.message},
                    {"params", params_text(run)},
                    {"attempts", run.attempts}});
  }
  return rows;
}

Json ensemble_rows(const std::vector<EnsembleLine>& ensembles) {
  Json rows = Json::array();
  for (const auto& [entry, mean] : ensembles) {
    rows.push_back({{"id", entry.id},
                    {"f1", short_score(entry.f1)},
                    {"mean", short_score(mean)},
                    {"gain", entry.f1 && mean ? fmt::format("{:+.3f}", *entry.f1 - *mean) : ""},
                    {"members", params_text(entry)},
                    {"selected", entry.spec.value("selected", "")}});
  }
  return rows;
}

Json latency_rows(const std::vector<LatencyLine>& latencies) {
  Json rows = Json::array();
  for (const auto& line : latencies) {
    Json cells = Json::array();
    for (const double ms : line.percentiles_ms) cells.push_back({{"ms", fmt::format("{:.1f}", ms)}});
    rows.push_back({{"id", line.id}, {"cells", cells}, {"per_s", fmt::format("{:.1f}", line.per_s)}});
  }
  return rows;
}

Json length_rows(const std::vector<LengthLine>& lengths) {
  Json rows = Json::array();
  for (const auto& line : lengths) {
    std::vector<std::string> texts;
    for (const auto& [length, f1] : line.f1) texts.push_back(fmt::format("{:.3f} at {}", f1, length));
    rows.push_back({{"id", line.id}, {"f1", join(texts, ", ")}});
  }
  return rows;
}

Json environment_rows(const std::vector<EnvironmentLine>& environments) {
  Json rows = Json::array();
  for (const auto& line : environments) rows.push_back({{"what", line.what}, {"runs", line.runs}});
  return rows;
}

Json percent_heads() {
  Json heads = Json::array();
  for (const int percent : kLatencyPercents) heads.push_back({{"percent", percent}});
  return heads;
}

StateCounts states_of(const std::vector<RunRecord>& runs) {
  StateCounts states;
  for (const auto& run : runs) ++states[run.state];
  return states;
}

/// What both forms are written from.
Json report_json(const WorkspaceFacts& facts) {
  constexpr size_t kLeaders = 50;
  const auto configs = config_stats(facts.runs);
  const auto gaps = recorded_gaps(configs, facts.runs);
  const Json rows = leaders(facts, kLeaders), config = config_rows(configs, gaps);
  const auto count = [&](auto&& holds) {
    return static_cast<size_t>(std::count_if(facts.runs.begin(), facts.runs.end(), holds));
  };
  const size_t scored = count([](const RunRecord& run) { return run.f1.has_value(); });
  const size_t ensemble_count = count([](const RunRecord& run) { return run.is_ensemble(); });
  const Json failed = failures(facts.runs), ensembles = ensemble_rows(facts.ensembles),
             latencies = latency_rows(facts.latencies), lengths = length_rows(facts.lengths),
             environments = environment_rows(facts.environments);
  return {{"workspace", facts.workspace},
          {"made", local_time_text(facts.now)},
          {"version", facts.version},
          {"any", !facts.runs.empty()},
          {"states", states_text(states_of(facts.runs))},
          {"picked", facts.picked.has_value()},
          {"top_mean", facts.picked ? short_score(facts.picked->top_mean) : "–"},
          {"top_mean_whole", facts.picked ? format_number(facts.picked->top_mean) : ""},
          {"average", facts.picked ? facts.picked->average : 0},
          {"count", facts.picked ? facts.picked->entries.size() : 0},
          {"why_not_picked", facts.why_not_picked},
          {"best_f1", rows.empty() ? "–" : rows[0]["f1"]},
          {"best_id", rows.empty() ? "" : rows[0]["id"]},
          {"scored", scored},
          {"leaders_any", !rows.empty()},
          {"leaders", rows},
          {"more", scored > rows.size() ? Json(scored - rows.size()) : Json()},
          {"configs_any", !config.empty()},
          {"configs", config},
          {"config_notes", config_notes(facts, gaps, recorded_noise(configs, facts.runs, gaps))},
          {"optimism", optimism_note(facts)},
          {"ensembles_any", !ensembles.empty()},
          {"ensembles", ensembles},
          {"ensembles_more",
           ensemble_count > ensembles.size() ? Json(ensemble_count - ensembles.size()) : Json()},
          {"failures_any", !failed.empty()},
          {"failures", failed},
          {"latencies_any", !latencies.empty()},
          {"latencies", latencies},
          {"percents", percent_heads()},
          {"lengths_any", !lengths.empty()},
          {"lengths", lengths},
          {"environments_any", !environments.empty()},
          {"environments", environments}};
}

}  // namespace

std::string workspace_html(const WorkspaceFacts& facts) {
  constexpr size_t kLossPoints = 150;
  Json json = report_json(facts);
  std::vector<Series> losses;
  for (const auto& loss : facts.losses) losses.push_back(thinned(loss, kLossPoints));
  const Json charts = parameter_charts(facts.runs);
  json["style"] = template_text("style.css");
  json["loss_chart"] = line_chart(losses, "optimizer step", "training loss", {720, 280, true});
  json["charts_any"] = !charts.empty();
  json["charts"] = charts;
  json["seed_chart"] = seed_chart(facts.runs, config_stats(facts.runs));
  json["timeline"] = timeline_chart(facts.attempts);
  return render("workspace_report.html", json, Escape::kHtml);
}

std::string workspace_markdown(const WorkspaceFacts& facts) {
  Json json = report_json(facts);
  // A bar ends a cell, a line break a table.
  const std::function<void(Json&)> mend = [&](Json& value) {
    if (value.is_string()) {
      std::string text;
      for (const char c : value.get<std::string>())
        text += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
      value = text;
    } else if (value.is_structured()) {
      for (auto& part : value) mend(part);
    }
  };
  mend(json);
  return render("workspace_report.md", json, Escape::kNone);
}

}  // namespace expctl
