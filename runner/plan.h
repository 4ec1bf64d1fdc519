// The decisions of the scheduler as functions of values: what starts next, and what follows the end of an
// attempt.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/outcome.h"
#include "core/run_spec.h"
#include "registry/records.h"

namespace expctl {

struct QueuedRun {
  QueuedRecord record;
  bool own = true;        ///< of the sweep that is being run; others were handed over or left from before
  double not_before = 0;  ///< Unix seconds
  int passed_over = 0;    ///< how many later runs have started before it, since it did not fit
};

/// Queued runs of which this many others were started first are waited for: nothing behind them that competes
/// with them starts.
constexpr int kMostPassedOver = 20;

/// What this machine has room for.
struct Room {
  std::function<bool(const QueuedRun&)> fits;                       ///< gives it what it needs
  std::function<bool(const QueuedRun&)> is_worth_waiting;           ///< whether it will fit some time
  std::function<bool(const QueuedRun&, const QueuedRun&)> compete;  ///< for GPUs, or for cores
};

/// Which of the queued runs is to start next on this machine, none before its time: the first that fits.
/// Where earlier ones do not, they are counted as passed over by those that compete with them; one that has
/// been passed over too often is waited for where it is worth waiting, so that small runs do not starve a
/// large one. `fits` is asked once of runs that need the same.
std::optional<size_t> next_to_start(std::vector<QueuedRun>& queue, double now_s, const Room& room);

/// Whether a failed attempt is tried again: not where another try would end alike (diverged, timed out, not
/// to be started).
bool may_retry(const Outcome& outcome, int retries_used, int64_t retries);

/// The micro-batch of the next attempt: half of the last one for each earlier attempt that ran out of memory,
/// at least 1; the first one is at most a rank's share of the batch. The batch, and so the result, stays what
/// it is. The training keys of `spec` are resolved.
int64_t micro_batch_for(const RunSpec& spec, const std::vector<AttemptRecord>& earlier);

/// Whether another attempt of a run that ran out of memory, after those earlier ones, would be any smaller;
/// what a command does with its memory nobody knows.
bool may_shrink(const RunSpec& spec, const std::vector<AttemptRecord>& earlier);

/// Whether an attempt failed so soon that its command line, its data or this machine is likely at fault.
constexpr double kEarly_s = 30;
constexpr size_t kHopeless = 3;  ///< so many runs, the first ones, and there is no use in starting more
bool died_early(const Outcome& outcome);

/// Seconds until the next attempt, after `retries_used` retries: 1, 2, 4, ... 60.
double retry_delay_s(int retries_used);

/// What an attempt without outcome.json counts as: lost where its supervisor died under a living scheduler (a
/// retry is used up, since it may happen again and again), interrupted where both were ended.
Outcome outcome_without_file(bool scheduler_lived);

}  // namespace expctl
