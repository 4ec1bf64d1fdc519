// The decisions of the scheduler as functions of values: what starts next, and what follows the end of an
// attempt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/outcome.h"
#include "core/run_spec.h"

namespace expctl {

struct QueuedRun {
  std::string id;
  bool own = true;        ///< of the sweep that is being run; others were handed over or left from before
  double not_before = 0;  ///< Unix seconds
};

/// Which of the queued runs (in order of creation) is to start next: own ones first, none before its time.
/// Strictly in order: a run that does not fit yet is waited for, so that a large one is not starved by small
/// ones.
std::optional<size_t> next_to_start(const std::vector<QueuedRun>& queue, double now);

/// Whether a failed attempt is tried again: not where another try would end alike (diverged, timed out, not
/// to be started).
bool may_retry(const Outcome& outcome, int retries_used, int64_t retries);

/// Seconds until the next attempt, after `retries_used` retries: 1, 2, 4, ... 60.
double retry_delay_s(int retries_used);

/// What an attempt without outcome.json counts as: lost where its supervisor died under a living scheduler (a
/// retry is used up, since it may happen again and again), interrupted where both were ended.
Outcome outcome_without_file(bool scheduler_lived, int attempt, double started, double now);

}  // namespace expctl
