#include "runner/sweep_progress.h"

#include <sys/stat.h>

#include <algorithm>

#include "registry/spec_of.h"
#include "runner/attempt_results.h"

namespace expctl {
namespace {

RunProgress progress_from(RunningAttempt& attempt, const LatestMetrics& latest, const RunPaths& paths,
                          double now_s) {
  RunProgress one;
  one.id = attempt.run.id;
  one.params = attempt.run.params;
  one.seed = attempt.run.seed;
  one.is_training = !attempt.spec.is_command();
  one.silent_s = stalled_for_s(paths, attempt.started, now_s);
  one.f1 = latest.f1;
  if (!latest.step || latest.step->time < attempt.started) return one;
  const MetricRecord& metric = *latest.step;
  one.step = metric.step;
  one.loss = metric.loss;
  one.fraction = training_fraction(metric, attempt.spec.train);
  if (attempt.first_step < 0) {
    attempt.first_step = metric.step;
    attempt.first_step_time = metric.time;
    attempt.first_fraction = one.fraction;
  } else if (one.fraction > attempt.first_fraction) {
    one.eta_s = (metric.time - attempt.first_step_time) * (1 - one.fraction) /
                (one.fraction - attempt.first_fraction);
  }
  return one;
}

}  // namespace

double stalled_for_s(const RunPaths& paths, double started, double now_s) {
  double latest = started;
  for (const auto& file : {paths.log(), paths.metrics(), paths.heartbeat()}) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) continue;
    latest = std::max(
        latest, static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec));
  }
  return now_s - latest >= kStalledAfter_s ? now_s - latest : 0;
}

RunProgress progress_of(RunningAttempt& attempt, const RunPaths& paths, double now_s) {
  return progress_from(attempt, read_latest_metrics(paths), paths, now_s);
}

RunProgress progress_at_once(const Registry& registry, const RunRecord& run, const RunPaths& paths,
                             double now_s) {
  const auto record = registry.running_attempt(run.id);
  RunningAttempt attempt;
  attempt.run = run;
  attempt.spec = spec_of(run);
  attempt.started = record ? record->started : run.started;
  const LatestMetrics latest = read_latest_metrics(paths);
  if (const auto& earlier = latest.earlier; earlier && earlier->time >= attempt.started) {
    attempt.first_step = earlier->step;
    attempt.first_step_time = earlier->time;
    attempt.first_fraction = training_fraction(*earlier, attempt.spec.train);
  }
  return progress_from(attempt, latest, paths, now_s);
}

double training_fraction(const MetricRecord& metric, const TrainSpec& spec) {
  const double fraction = spec.max_steps > 0
                              ? static_cast<double>(metric.step) / static_cast<double>(spec.max_steps)
                              : metric.epoch / spec.epochs;
  return std::clamp(fraction, 0.0, 1.0);
}

double sweep_eta_s(const std::vector<double>& left_s, size_t queued, double mean_duration_s) {
  if (queued > 0 && mean_duration_s < 0) return -1;
  double work_s = queued > 0 ? static_cast<double>(queued) * mean_duration_s : 0, longest_s = 0;
  for (const double left : left_s) {
    const double known = left >= 0 ? left : mean_duration_s / 2;  // a run that has just begun, or predicts
    if (known < 0) return -1;
    work_s += known;
    longest_s = std::max(longest_s, known);
  }
  return std::max(longest_s, work_s / static_cast<double>(std::max<size_t>(1, left_s.size())));
}

}  // namespace expctl
