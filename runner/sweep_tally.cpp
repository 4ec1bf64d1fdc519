#include "runner/sweep_tally.h"

#include <fmt/core.h>

#include "runner/plan.h"

namespace expctl {

void SweepTally::add(const RunRecord& ended, double seconds) {
  if (ended.state == RunState::kFailed) ++counts_.failed;
  if (ended.state != RunState::kSucceeded) return;
  one_has_lived_ = true;
  ++counts_.succeeded;
  succeeded_s_ += seconds;
  if (!ended.f1 || (!counts_.best.empty() && *ended.f1 <= counts_.best_f1)) return;
  counts_.best = ended.id;
  counts_.best_f1 = *ended.f1;
}

void SweepTally::learn(const RecordedEnd& end, double seconds, bool one_lives) {
  add(end.run, seconds);
  const Outcome& outcome = end.outcome;
  if (end.run.state == RunState::kFailed) has_failed_ = true;
  if (end.run.state == RunState::kSucceeded) why_paused_.clear();
  const bool waits_for_less =
      end.run.state == RunState::kQueued && outcome.reason == FailReason::kOutOfMemory;
  if (outcome.end == AttemptEnd::kSucceeded || (outcome.end == AttemptEnd::kFailed && !died_early(outcome)))
    one_has_lived_ = true;
  if (one_has_lived_ || outcome.end != AttemptEnd::kFailed || waits_for_less) return;
  died_early_.insert(end.run.id);
  if (died_early_.size() < kHopeless || one_lives) return;
  why_paused_ =
      fmt::format("the first {} runs have failed within {:.0f} s of their start, {} the last of them",
                  kHopeless, kEarly_s, end.run.id);
}

double SweepTally::mean_duration_s() const {
  return counts_.succeeded > 0 ? succeeded_s_ / static_cast<double>(counts_.succeeded) : -1;
}

}  // namespace expctl
