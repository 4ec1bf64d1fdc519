// Stopping runs early (experiments/halving.h decides): reads what they report at their rungs, writes down
// what was decided, and asks those to end that do not go on.
//
// What was decided lies in the sweep's decisions.jsonl (docs/run_folder.md), a line each in the order in
// which the reports were seen. It is written before a run is asked to end, so that a scheduler that is killed
// between the two finds it, and asks again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/run_paths.h"
#include "core/run_spec.h"
#include "experiments/halving.h"
#include "registry/records.h"

namespace expctl {

class EarlyStopping {
 public:
  explicit EarlyStopping(WorkspacePaths workspace) : workspace_(std::move(workspace)) {}

  /// Decides on what the run's attempt has reported since the last look; nothing where its spec stops nothing
  /// early. Where `is_at_work`, a run that is not to go on is asked to end. Returns the decisions that are
  /// new. Throws Error for a decisions.jsonl that cannot be read or written.
  std::vector<RungDecision> look(const RunRecord& run, const RunSpec& spec, bool is_at_work, double now_s);

 private:
  struct Reader {
    int attempt = 0;
    int64_t read_bytes = 0;  ///< of metrics.jsonl
  };

  Halving& halving_of(const std::string& sweep_id);
  std::vector<RungReport> new_reports(const RunRecord& run);

  WorkspacePaths workspace_;
  std::map<std::string, Halving> halvings_;  ///< by sweep
  std::map<std::string, Reader> readers_;    ///< by run
};

/// The decisions on record of a sweep, in order; empty where there are none. A last line that a crash has cut
/// short is left out. Throws Error.
std::vector<RungDecision> read_decisions(const WorkspacePaths& workspace, const std::string& sweep_id);

/// The first of a sweep's decisions that does not follow from the reports before it; "" where all do.
std::string fault_of_decisions(const std::vector<RungDecision>& decisions);

}  // namespace expctl
