// What the ends of a sweep's runs come to: the count, the best, and whether there is any use in starting
// more.
#pragma once

#include <set>
#include <string>

#include "runner/attempt_end.h"
#include "runner/sweep_progress.h"

namespace expctl {

class SweepTally {
 public:
  /// A run of the sweep that had ended before, after so many seconds in all its attempts.
  void add(const RunRecord& ended, double seconds);
  /// The end of an attempt, of a run that has been at work for so long in all. `one_lives`: another run of
  /// the sweep has been at work for kEarly_s.
  void learn(const RecordedEnd& end, double seconds, bool one_lives);

  const SweepProgress& counts() const { return counts_; }  ///< running and queued are left out
  double mean_duration_s() const;                          ///< of those that have succeeded; -1: none has
  bool has_failed() const { return has_failed_; }          ///< one has, for good, since learn() began
  /// Why no more are to be started: the first runs have all failed as soon as they had begun. "": they may.
  const std::string& why_paused() const { return why_paused_; }

 private:
  SweepProgress counts_;
  double succeeded_s_ = 0;
  bool has_failed_ = false;
  std::set<std::string> died_early_;  ///< as long as none has lived
  bool one_has_lived_ = false;
  std::string why_paused_;
};

}  // namespace expctl
