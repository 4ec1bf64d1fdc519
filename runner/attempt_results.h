// What an attempt leaves in the run's folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/outcome.h"
#include "core/run_paths.h"
#include "registry/records.h"

namespace expctl {

/// The outcome of this attempt, or nothing where its supervisor has written none.
std::optional<Outcome> read_outcome(const RunPaths& paths, int attempt);

/// The steps of metrics.jsonl, in order; events and lines that are not (yet) whole are left out.
std::vector<MetricRecord> read_metrics(const RunPaths& paths);

struct LatestMetrics {
  std::optional<MetricRecord> step;
  std::optional<MetricRecord> earlier;  ///< some hundred steps before, to tell the pace from
  std::optional<double> f1;             ///< of the last event "eval"
};
/// The newest of metrics.jsonl, from the end of the file.
LatestMetrics read_latest_metrics(const RunPaths& paths);

/// Results, log and checkpoint with their hashes.
std::vector<ArtifactRecord> read_artifacts(const std::string& run_id, const RunPaths& paths);

/// eval.json as the evaluation "default", or nothing where the run was not scored.
std::optional<EvaluationRecord> read_evaluation(const RunRecord& run, const RunPaths& paths);

}  // namespace expctl
