// What the scheduler writes into a run's folder before an attempt, and takes from it afterwards.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/outcome.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

/// The variables by which a program keeps to its devices.
std::vector<std::pair<std::string, std::string>> device_environment(const DeviceAssignment& devices,
                                                                    const ResourceSpec& wanted);

/// The request of one attempt: the command line with its placeholders filled in and the environment. `worker`
/// is expctl-train (not used by a command), which a run on several GPUs has started by mpirun. Throws Error
/// for a command that cannot be filled in.
WorkerRequest make_request(const RunRecord& run, int attempt, const std::string& token,
                           const DeviceAssignment& devices, const std::filesystem::path& worker,
                           const RunPaths& paths);

/// Makes the folder, removes what an earlier attempt said about its end and its predictions (never its
/// state), writes request.json and command.txt.
void write_attempt(const WorkerRequest& request, const RunPaths& paths);

/// Removes what asked for the end of an earlier attempt: what is made from here on is heeded.
void remove_end_requests(const RunPaths& paths);

/// Removes what an earlier attempt said about its end, and its predictions; never its state.
void remove_results(const RunPaths& paths);

/// request.json and command.txt in `paths`, of an attempt that runs (or is to be run again) in `folder`.
void write_request(const WorkerRequest& request, const RunPaths& paths, const std::filesystem::path& folder);

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

/// A running run without a sign of life for so long is shown as stalled.
constexpr double kStalledAfter_s = 300;
/// Seconds since a run that was started then has last written its log or its metrics, or touched its
/// heartbeat, where it counts as stalled; else 0.
double stalled_for_s(const RunPaths& paths, double started, double now);

/// Results, log and checkpoint with their hashes.
std::vector<ArtifactRecord> read_artifacts(const std::string& run_id, const RunPaths& paths);

/// eval.json as the evaluation "default", or nothing where the run was not scored.
std::optional<EvaluationRecord> read_evaluation(const RunRecord& run, const RunPaths& paths);

}  // namespace expctl
