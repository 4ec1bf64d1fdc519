#include "runner/attempt_results.h"

#include <fmt/core.h>

#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json_lines.h"
#include "registry/spec_of.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What a line of metrics.jsonl says of a step; nothing where it is of something else.
std::optional<MetricRecord> metric_in(const Json& line) {
  const auto step = number_in(line, "step");
  const auto loss = number_in(line, "loss");
  if (!step || !loss) return std::nullopt;
  return MetricRecord{static_cast<int64_t>(*step), number_in(line, "epoch").value_or(0), *loss,
                      number_in(line, "learning_rate").value_or(0), number_in(line, "time").value_or(0)};
}

}  // namespace

std::optional<Outcome> read_outcome(const RunPaths& paths, int attempt) {
  if (!fs::is_regular_file(paths.outcome())) return std::nullopt;
  try {
    const Outcome outcome = outcome_from_json(read_json(paths.outcome()), paths.outcome().string());
    return outcome.attempt == attempt ? std::optional(outcome) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // not a supervisor's: the job itself may write a file of this name
  }
}

std::vector<MetricRecord> read_metrics(const RunPaths& paths) {
  if (!fs::exists(paths.metrics())) return {};
  if (!fs::is_regular_file(paths.metrics()))
    throw Error(fmt::format("{} is not a file", paths.metrics().string()));
  std::map<int64_t, MetricRecord> by_step;
  for_each_json_object(read_file(paths.metrics()), [&](const Json& line) {
    if (const auto metric = metric_in(line)) by_step[metric->step] = *metric;
  });
  std::vector<MetricRecord> metrics;
  for (const auto& [step, metric] : by_step) metrics.push_back(metric);
  return metrics;
}

LatestMetrics read_latest_metrics(const RunPaths& paths) {
  constexpr int64_t kTailBytes = 16384;
  LatestMetrics latest;
  for_each_json_object(file_tail(paths.metrics(), 0, kTailBytes), [&](const Json& line) {
    if (const auto metric = metric_in(line)) {
      if (!latest.earlier) latest.earlier = metric;
      latest.step = metric;
    }
    if (const auto f1 = number_in(line, "f1")) latest.f1 = f1;
  });
  return latest;
}

std::vector<ArtifactRecord> read_artifacts(const std::string& run_id, const RunPaths& paths) {
  std::vector<fs::path> files = {paths.request(),         paths.command(), paths.environment(), paths.log(),
                                 paths.metrics(),         paths.logits(),  paths.predictions(), paths.nbest(),
                                 paths.inference_stats(), paths.eval(),    paths.gpu_readings()};
  if (fs::is_directory(paths.checkpoint())) {
    for (const auto& entry : fs::directory_iterator(paths.checkpoint())) files.push_back(entry.path());
  }
  std::vector<ArtifactRecord> artifacts;
  for (const auto& file : files) {
    if (!fs::is_regular_file(file)) continue;
    artifacts.push_back({run_id, file.lexically_relative(paths.folder).string(),
                         static_cast<int64_t>(fs::file_size(file)), sha256_file(file)});
  }
  return artifacts;
}

std::optional<EvaluationRecord> read_evaluation(const RunRecord& run, const RunPaths& paths) {
  if (!fs::exists(paths.eval())) return std::nullopt;
  const std::string source = paths.eval().string();
  const Json eval = read_json(paths.eval());
  const RunSpec spec = spec_of(run);
  EvaluationRecord evaluation;
  evaluation.run_id = run.id;
  evaluation.f1 = json_get<double>(eval, "f1", source);
  evaluation.exact_match = json_get<double>(eval, "exact_match", source);
  evaluation.settings = evaluation_settings(spec);
  return evaluation;
}

}  // namespace expctl
