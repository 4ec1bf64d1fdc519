// What of a sweep can be known to fail, or to be unwise, before its first run starts.
#pragma once

#include <string>
#include <vector>

#include "cli/sweep_runs.h"
#include "runner/slots.h"

namespace expctl {

/// Hashes the files that the sweep names. Throws Error, of one that is missing with where it is named, and
/// where it is to be had.
void find_inputs(SweepSpec& sweep);

/// Throws Error where a command line cannot be filled in, or this machine does not have or compute what a
/// spec asks for.
void check_can_run(const SweepSpec& sweep, const std::vector<RunSpec>& specs, const SlotPool& pool);

/// Throws Error where runs are to be handed to a cluster and cannot be.
void check_clusters(const SweepSpec& sweep, const SweepRuns& runs, bool retry_failed);

/// Where more runs fit on this machine than may be at work at once; "" where not.
std::string lag_warning(const SweepSpec& sweep, const SlotPool& pool);

}  // namespace expctl
