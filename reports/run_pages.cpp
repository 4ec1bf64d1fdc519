// A run or an ensemble, and its log.
#include <fmt/core.h>

#include "core/clock.h"
#include "core/files.h"
#include "core/text.h"
#include "registry/record_json.h"
#include "reports/leaderboard.h"
#include "reports/log_text.h"
#include "reports/page_parts.h"
#include "reports/render.h"

namespace expctl {
namespace {

Json facts_json(const RunFacts& facts) {
  const RunRecord& run = facts.entry.run;
  Json list = Json::array();
  const auto add = [&](const std::string& name, const std::string& value, const std::string& href = "") {
    if (!value.empty()) list.push_back({{"name", name}, {"value", value}, {"href", href}});
  };
  add("sweep", run.sweep_id.empty() ? "" : fmt::format("{} ({})", run.sweep_id, run.name),
      "/sweeps/" + run.sweep_id);
  add("name", run.sweep_id.empty() ? run.name : "");
  add(run.is_ensemble() ? "members" : run.is_imported() ? "origin" : "parameters", params_text(run));
  if (!run.is_ensemble()) add("changed keys", changed_keys_text(run));
  add("created", local_time_text(run.created));
  add("started", run.started > 0 ? local_time_text(run.started) : "");
  add("ended", run.ended > 0 ? local_time_text(run.ended) : "");
  add("folder", facts.folder);
  return list;
}

Json attempts_json(const std::vector<AttemptRecord>& attempts) {
  Json rows = Json::array();
  for (const auto& a : attempts) {
    rows.push_back({{"attempt", a.attempt},
                    {"end", a.end.empty() ? "running" : a.end},
                    {"reason", name_of(a.reason)},
                    {"started", local_time_text(a.started)},
                    {"took", a.ended > 0 ? duration_text(a.ended - a.started) : ""}});
  }
  return rows;
}

Json evaluations_json(const std::vector<EvaluationRecord>& evaluations) {
  Json rows = Json::array();
  for (const auto& e : evaluations) {
    std::vector<std::string> settings;
    for (const auto& [key, value] : e.settings.items()) {
      if (!key.ends_with("sha256")) settings.push_back(fmt::format("{}={}", key, scalar_text(value)));
    }
    rows.push_back({{"name", e.name},
                    {"f1", format_number(e.f1)},
                    {"exact_match", format_number(e.exact_match)},
                    {"settings", join(settings, " ")}});
  }
  return rows;
}

Json charts_json(const TrainingCurves& curves) {
  Json charts = Json::array();
  add_chart(charts, curves.loss, "optimizer step", true);
  add_chart(charts, curves.f1, "optimizer step");
  add_chart(charts, curves.learning_rate, "optimizer step");
  add_chart(charts, curves.grad_norm, "optimizer step", true);
  return charts;
}

}  // namespace

std::string run_page(const RunFacts& facts) {
  constexpr int kLogLines = 20;
  const RunRecord& run = facts.entry.run;
  const Json charts = charts_json(facts.curves);
  const Json page = {{"id", run.id},
                     {"state", name_of(run.state)},
                     {"tags", tags_json(run)},
                     {"reason", name_of(run.reason)},
                     {"message", run.message},
                     {"live", facts.live ? live_json(*facts.live) : Json()},
                     {"f1", run.f1 ? short_score(run.f1) : "–"},
                     {"exact_match", run.exact_match ? short_score(run.exact_match) : "–"},
                     {"took", took_text(run).empty() ? "–" : took_text(run)},
                     {"attempt_count", facts.entry.attempts.size()},
                     {"facts", facts_json(facts)},
                     {"members_any", !facts.members.empty()},
                     {"members", run_table_html(facts.members, 0)},
                     {"charts_any", !charts.empty()},
                     {"charts", charts},
                     {"evaluations_any", !facts.entry.evaluations.empty()},
                     {"evaluations", evaluations_json(facts.entry.evaluations)},
                     {"log", tail_lines(trim(log_text(facts.log_end)), kLogLines)},
                     {"attempts_any", !facts.entry.attempts.empty()},
                     {"attempts", attempts_json(facts.entry.attempts)},
                     {"artifacts_any", !facts.entry.artifacts.empty()},
                     {"artifact_count", facts.entry.artifacts.size()},
                     {"artifacts", list_json(facts.entry.artifacts)},
                     {"spec", json_text(run.spec)}};
  return framed(facts.workspace, fmt::format("{} {}", run.id, name_of(run.state)), PageTab::kRuns,
                render("run.html", page, Escape::kHtml));
}

std::string log_page(const LogFacts& facts) {
  const std::string text = log_text(from_line_begin(facts.text, facts.left_out > 0));
  const Json page = {{"id", facts.run.id},
                     {"state", name_of(facts.run.state)},
                     {"left_out", facts.left_out > 0 ? Json(facts.left_out) : Json()},
                     {"text", text}};
  return framed(facts.workspace, "Log of " + facts.run.id, PageTab::kRuns,
                render("log.html", page, Escape::kHtml));
}

}  // namespace expctl
