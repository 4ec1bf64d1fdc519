#include "reports/run_export.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "core/files.h"
#include "core/hash.h"
#include "core/json_lines.h"
#include "core/text.h"
#include "reports/leaderboard.h"

namespace expctl {
namespace {

/// Neither the path of the workspace nor that of the export: both may be moved.
std::string identity_of(std::string_view id, double created, std::string_view content) {
  return sha256(fmt::format("{}\n{}\n{}", id, format_number(created), content)).substr(0, 32);
}

std::string run_identity(const RunRecord& run) {
  return identity_of(run.id, run.created, fmt::format("{}\n{}", run.config_hash, run.seed));
}

ExportGroup group_of(const Registry& registry, const RunRecord& run) {
  if (!run.sweep_id.empty()) {
    const SweepRecord sweep = registry.find_sweep(run.sweep_id).value_or(SweepRecord{});
    return {run.sweep_id, fmt::format("{} ({})", run.name, run.sweep_id),
            identity_of(run.sweep_id, sweep.created, sweep.content_sha256), sweep.created};
  }
  // The oldest run tells one workspace's ensembles from another's.
  const RunRecord oldest = registry.query_runs({{}, "id", false, 1}).front();
  const std::string key = run.is_ensemble() ? "ensembles" : "imported";
  return {key, key, identity_of(key, oldest.created, run_identity(oldest)), oldest.created};
}

bool is_training(const RunRecord& run) {
  return run.spec.contains("train") && !run.is_imported() &&
         !(run.spec.contains("command") && run.spec["command"].is_object() &&
           !run.spec["command"].value("argv", Json::array()).empty());
}

void add_line(const Json& line, double default_time, std::vector<MetricPoint>& points) {
  if (line.value("event", Json("eval")) != "eval") return;
  const auto step = line.find("step");
  if (step == line.end() || !step->is_number_integer()) return;
  const double time = number_in(line, "time").value_or(default_time);
  for (const auto& [name, value] : line.items()) {
    if (name == "step" || name == "time" || name.empty() || !(value.is_number() || value.is_null())) continue;
    points.push_back({name, step->get<int64_t>(), time,
                      value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>()});
  }
}

bool ends_with(const std::vector<MetricPoint>& points, const MetricPoint& last) {
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (point->name == last.name) return point->step == last.step && point->value == last.value;
  }
  return false;
}

/// At the run's last step; not where a curve of its steps ends so already.
void add_scores(RunExport& entry, const std::vector<EvaluationRecord>& evaluations) {
  const int64_t last_step = entry.steps.empty() ? 0 : entry.steps.back().step;
  const double ended = std::max(entry.run.ended, entry.run.created);
  for (const auto& evaluation : evaluations) {
    const bool is_default = evaluation.name == kDefaultEvaluation;
    const std::string prefix = is_default ? "" : "evals/" + evaluation.name + "/";
    for (const auto& [name, value] :
         {std::pair("f1", evaluation.f1), std::pair("exact_match", evaluation.exact_match)}) {
      const MetricPoint point{prefix + name, last_step, ended, value};
      if (!ends_with(entry.steps, point)) (is_default ? entry.scores : entry.evaluations).push_back(point);
    }
  }
}

std::string read_if_there(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(path) ? read_file(path) : "";
}

}  // namespace

Json all_parameters(const RunRecord& run) {
  if (run.is_ensemble())
    return {{"method", run.spec.value("method", Json(""))}, {"members", params_text(run)}};
  Json parameters = Json::object();
  if (is_training(run)) parameters.update(run.spec["train"]);
  parameters.update(run.params);
  if (!run.is_imported()) parameters["seed"] = run.seed;
  return parameters;
}

std::vector<MetricPoint> metric_points(std::string_view lines, double time) {
  std::vector<MetricPoint> points;
  for_each_json_object(lines, [&](const Json& line) { add_line(line, time, points); });
  return points;
}

RunExport read_run_export(const Registry& registry, const WorkspacePaths& workspace, const RunRecord& run) {
  RunExport entry;
  entry.run = run;
  entry.group = group_of(registry, run);
  entry.identity = run_identity(run);
  entry.parameters = all_parameters(run);
  entry.folder = workspace.run(run.id);
  if (!run.sweep_id.empty()) entry.sweep_file = workspace.sweep_file(run.sweep_id);
  entry.steps = metric_points(read_if_there(entry.folder.metrics()), run.started);
  add_scores(entry, registry.evaluations(run.id));
  return entry;
}

}  // namespace expctl
