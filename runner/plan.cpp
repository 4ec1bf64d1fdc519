#include "runner/plan.h"

#include <algorithm>

#include "runner/ranks_command.h"

namespace expctl {

std::optional<size_t> next_to_start(std::vector<QueuedRun>& queue, double now_s, const Room& room) {
  std::vector<QueuedRun*> waiting;           // earlier ones that do not fit
  std::vector<const QueuedRun*> kinds;       // one of each kind of them
  std::vector<const QueuedRun*> waited_for;  // nothing that competes with one of these starts
  const auto competes_with = [&](const QueuedRun& run) {
    return [&](const QueuedRun* earlier) { return room.compete(*earlier, run); };
  };
  for (size_t i = 0; i < queue.size(); ++i) {
    QueuedRun& run = queue[i];
    if (run.record.executor != "local" || run.not_before > now_s) continue;
    const bool is_known = std::any_of(kinds.begin(), kinds.end(), [&](const QueuedRun* kind) {
      return kind->record.demand == run.record.demand;
    });
    const bool may_start =
        !is_known && std::none_of(waited_for.begin(), waited_for.end(), competes_with(run));
    if (may_start && room.fits(run)) {
      for (QueuedRun* earlier : waiting) earlier->passed_over += room.compete(*earlier, run) ? 1 : 0;
      return i;
    }
    waiting.push_back(&run);
    if (may_start) kinds.push_back(&run);
    if (run.passed_over >= kMostPassedOver && room.is_worth_waiting(run)) waited_for.push_back(&run);
  }
  return std::nullopt;
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

int64_t micro_batch_for(const RunSpec& spec, const std::vector<AttemptRecord>& earlier) {
  const int64_t ranks = rank_count(spec);
  int64_t size = std::min(spec.train.micro_batch, (spec.train.batch_size + ranks - 1) / ranks);
  for (const auto& attempt : earlier) {
    if (attempt.reason == FailReason::kOutOfMemory) size = std::max<int64_t>(1, size / 2);
  }
  return size;
}

bool may_shrink(const RunSpec& spec, const std::vector<AttemptRecord>& earlier) {
  return spec.is_command() || micro_batch_for(spec, earlier) > 1;
}

bool died_early(const Outcome& outcome) {
  return outcome.end == AttemptEnd::kFailed && outcome.ended - outcome.started < kEarly_s;
}

double retry_delay_s(int retries_used) {
  constexpr double kLongest_s = 60;
  return std::min(kLongest_s, static_cast<double>(1 << std::clamp(retries_used, 0, 6)));
}

Outcome outcome_without_file(bool scheduler_lived) {
  return scheduler_lived ? failed_outcome(FailReason::kLost, "its supervisor died")
                         : interrupted_outcome("the scheduler and the supervisor were ended");
}

}  // namespace expctl
