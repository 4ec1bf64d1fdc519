// Which runs of a sweep go on from where they are looked at (core/early_stop.h says where that is):
// asynchronous successive halving, Li et al. 2020, decided as each score arrives, for nobody waits. A pure
// function of the scores in the order in which they came, so that what was decided can be replayed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"

namespace expctl {

/// The dev score of a run at a rung.
struct RungReport {
  std::string run_id;
  int64_t rung = 0;  ///< from 0
  int64_t step = 0;  ///< optimizer steps done
  double score = 0;  ///< F1, percent; higher is better
  bool operator==(const RungReport&) const = default;
};

struct RungDecision {
  RungReport report;
  int64_t reduction = 3;  ///< of so many seen there one was to go on, at least one
  int64_t rank =
      1;  ///< from 1, among the scores seen at the rung so far; of equal ones the earlier is better
  int64_t seen = 1;  ///< how many these are, its own among them
  bool goes_on = true;
  bool operator==(const RungDecision&) const = default;
};

/// What has been seen at the rungs of one sweep.
class Halving {
 public:
  /// Takes a report in: one of `reduction` goes on, so the first to come always does. For a run that has been
  /// at the rung before (its attempt was ended and has come there again) what was decided then, whatever it
  /// reports now.
  RungDecision decide(const RungReport& report, int64_t reduction);
  /// Whether the run was not to go on from some rung: what it reports while it ends is nobody's business.
  bool has_stopped(const std::string& run_id) const { return stopped_.contains(run_id); }
  /// Whether it was decided what becomes of the run at this rung.
  bool knows(const RungReport& report) const { return decided_.contains({report.run_id, report.rung}); }
  /// Takes in what has been decided earlier, as it was.
  void restore(const RungDecision& decision);

 private:
  std::map<int64_t, std::vector<double>> scores_;  ///< by rung
  std::map<std::pair<std::string, int64_t>, RungDecision> decided_;
  std::set<std::string> stopped_;
};

/// "at step 120, F1 61.20: number 7 of the 9 that have come there".
std::string decision_text(const RungDecision& decision);

/// A line of decisions.jsonl (docs/run_folder.md).
Json decision_line(const RungDecision& decision, double now_s);
/// Throws Error naming `source`.
RungDecision decision_from_line(const Json& line, const std::string& source);

}  // namespace expctl
