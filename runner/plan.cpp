#include "runner/plan.h"

#include <algorithm>

namespace expctl {

std::optional<size_t> next_to_start(const std::vector<QueuedRun>& queue, double now) {
  std::optional<size_t> other;
  for (size_t i = 0; i < queue.size(); ++i) {
    if (queue[i].not_before > now) continue;
    if (queue[i].own) return i;
    if (!other) other = i;
  }
  return other;
}

bool may_retry(const Outcome& outcome, int retries_used, int64_t retries) {
  if (outcome.end != AttemptEnd::kFailed || retries_used >= retries) return false;
  switch (outcome.reason) {
    case FailReason::kExitCode:
    case FailReason::kSignal:
    case FailReason::kOutOfMemory:
    case FailReason::kLost:
      return true;
    case FailReason::kNone:
    case FailReason::kTimedOut:
    case FailReason::kDiverged:
    case FailReason::kFailedToStart:
      return false;
  }
  return false;
}

double retry_delay_s(int retries_used) {
  constexpr double kLongest_s = 60;
  return std::min(kLongest_s, static_cast<double>(1 << std::clamp(retries_used, 0, 6)));
}

Outcome outcome_without_file(bool scheduler_lived, int attempt, double started, double now) {
  Outcome outcome;
  outcome.end = scheduler_lived ? AttemptEnd::kFailed : AttemptEnd::kInterrupted;
  outcome.reason = scheduler_lived ? FailReason::kLost : FailReason::kNone;
  outcome.message = scheduler_lived ? "its supervisor died" : "the scheduler and the supervisor were ended";
  outcome.attempt = attempt;
  outcome.started = started;
  outcome.ended = now;
  return outcome;
}

}  // namespace expctl
