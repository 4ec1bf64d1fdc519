#include "reports/leaderboard.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "core/text.h"
#include "reports/table.h"

namespace expctl {
namespace {

/// "run3 + run5"; "2 x run3 + run5" where weights differ; with the method where it is not the mean of logits.
std::string ensemble_text(const Json& description) {
  const Json& members = description["members"];
  const bool alike = std::all_of(members.begin(), members.end(),
                                 [&](const Json& m) { return m["weight"] == members[0]["weight"]; });
  std::vector<std::string> parts;
  for (const auto& member : members) {
    const auto id = member["id"].get<std::string>();
    const double weight = member["weight"];
    parts.push_back(alike || weight == 1 ? id : fmt::format("{:g} x {}", weight, id));
  }
  const std::string method = description.value("method", "logits");
  return (method == "logits" ? "" : method + ": ") + join(parts, " + ");
}

/// Unscored below every score.
double order(const std::optional<double>& score) {
  return score.value_or(-1);
}

}  // namespace

std::string score_text(const std::optional<double>& score) {
  return score ? fmt::format("{:.4f}", *score) : "-";
}

std::string config_text(const Json& params) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : params.items())
    parts.push_back(fmt::format("{}={}", key, scalar_text(value)));
  return join(parts, " ");
}

std::string params_text(const RunRecord& run) {
  if (run.spec.contains("members")) return ensemble_text(run.spec);
  if (run.is_imported() && run.spec.contains("config_folder"))
    return fmt::format("imported from {}", run.spec["config_folder"].get<std::string>());
  return fmt::format("{}{}seed={}", config_text(run.params), run.params.empty() ? "" : " ", run.seed);
}

std::string changed_keys_text(const RunRecord& run) {
  if (!run.spec.contains("train") || run.is_imported()) return "";
  const TrainSpec spec = train_spec_from_json(run.spec["train"], "registry: spec of " + run.id);
  const TrainSpec defaults = resolve(TrainSpec{});
  std::vector<std::string> parts;
  for (const auto& key : train_keys()) {
    const Json value = get_train_key(spec, key);
    if (value == get_train_key(defaults, key)) continue;
    parts.push_back(fmt::format("{}={}", key.name, scalar_text(value)));
  }
  return join(parts, " ");
}

std::vector<RunRecord> ranked(std::vector<RunRecord> runs) {
  std::stable_sort(runs.begin(), runs.end(), [](const RunRecord& a, const RunRecord& b) {
    return std::make_pair(order(a.f1), order(a.exact_match)) >
           std::make_pair(order(b.f1), order(b.exact_match));
  });
  return runs;
}

namespace {

std::string state_text(const RunRecord& run, const DoingText& doing) {
  std::string text{name_of(run.state)};
  if (run.reason != FailReason::kNone) text += fmt::format(": {}", name_of(run.reason));
  if (run.state == RunState::kRunning && doing) text += ", " + doing(run);
  return text;
}

}  // namespace

std::string runs_table(const std::vector<RunRecord>& runs, const TableStyle& style, const DoingText& doing) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : runs) {
    rows.push_back({run.id, state_text(run, doing), score_text(run.f1), score_text(run.exact_match), run.name,
                    params_text(run)});
  }
  return render_table({"id", "state", "F1", "EM", "name", "parameters"}, rows, style);
}

Json run_json(const RunRecord& run) {
  return {{"id", run.id},
          {"state", name_of(run.state)},
          {"reason", name_of(run.reason)},
          {"name", run.name},
          {"params", run.params},
          {"seed", run.seed},
          {"f1", json_or_null(run.f1)},
          {"exact_match", json_or_null(run.exact_match)}};
}

Json runs_json(const std::vector<RunRecord>& runs) {
  Json list = Json::array();
  for (const auto& run : runs) list.push_back(run_json(run));
  return {{"schema_version", 1}, {"runs", list}};
}

}  // namespace expctl
