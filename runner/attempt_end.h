// The end of an attempt: from its outcome and what lies in its folder into the registry and run.json.
#pragma once

#include <string>

#include "core/outcome.h"
#include "core/run_paths.h"
#include "registry/registry.h"
#include "registry/spec_of.h"

namespace expctl {

struct RecordedEnd {
  RunRecord run;  ///< as it is now
  RunSpec spec;
  Outcome outcome;          ///< as it was recorded: a failure where the results cannot be read
  bool is_retried = false;  ///< the run is queued again, for another try
  double delay_s = 0;       ///< which is not to begin before
};

/// Takes in results, ends the run's attempt, and decides on another try. Safe to be done twice: killed half
/// way, the run is still running in the registry.
RecordedEnd record_end(const RunRecord& run, const Outcome& outcome, Registry& registry,
                       const RunPaths& paths);

/// One line for people.
std::string describe(const RecordedEnd& end, const RunPaths& paths);

}  // namespace expctl
