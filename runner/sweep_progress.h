// How far the runs of a sweep are, as far as their folders and the clock tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

/// An attempt that runs, here or on a cluster.
struct RunningAttempt {
  RunRecord run;
  RunSpec spec;
  int attempt = 0;
  double started = 0;
  int64_t first_step = -1;  ///< the first step seen of this attempt, and when
  double first_step_time = 0;
  double first_fraction = 0;
};

/// How far a running run is.
struct RunProgress {
  std::string id;
  Json params = Json::object();
  int64_t seed = 0;
  bool is_training = true;   ///< else a command, of which no step may ever be known
  std::optional<double> f1;  ///< the last look at the dev score on the way (eval_every)
  int64_t step = 0;          ///< 0: no step yet
  double loss = 0;
  double fraction = 0;  ///< 0..1 of its training
  double eta_s = -1;    ///< seconds of training left; -1: not known
  double silent_s = 0;  ///< since its last sign of life, where it counts as stalled; else 0
};

/// How far a sweep is.
struct SweepProgress {
  std::vector<RunProgress> running;
  size_t queued = 0;
  size_t to_come = 0;    ///< own runs that are not known yet
  size_t succeeded = 0;  ///< of the own runs, like the next
  size_t failed = 0;
  std::string best;  ///< of the own runs that has the best F1; "": none has one
  double best_f1 = 0;
  double eta_s = -1;  ///< seconds until the queue is done, from the runs before; -1: not known
};

/// A running run without a sign of life for so long is shown as stalled.
constexpr double kStalledAfter_s = 300;
/// Seconds since a run that was started then has last written its log or its metrics, or touched its
/// heartbeat, where it counts as stalled; else 0.
double stalled_for_s(const RunPaths& paths, double started, double now_s);

/// Reads the run's metrics, and keeps in `attempt` what the first look saw.
RunProgress progress_of(RunningAttempt& attempt, const RunPaths& paths, double now_s);

/// The same of a running run that this process did not start and sees once: its pace is told from the end of
/// its metrics.
RunProgress progress_at_once(const Registry& registry, const RunRecord& run, const RunPaths& paths,
                             double now_s);

/// Seconds for `queued` runs of a mean duration after those running, `left_s` of which are known (-1: not).
/// A pure function; -1 where there is nothing to tell it from.
double sweep_eta_s(const std::vector<double>& left_s, size_t queued, double mean_duration_s);

/// The part of its training that a run has done: by steps where max_steps is set, else by epochs.
double training_fraction(const MetricRecord& metric, const TrainSpec& spec);

}  // namespace expctl
