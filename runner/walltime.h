// How long a job of a cluster may take, and how long the one that this process runs in still has.
#pragma once

#include <optional>
#include <string>

#include "core/run_spec.h"

namespace expctl {

/// Seconds to ask the cluster for: the executor's time, else the run's time limit with what ends it and
/// scores it; 0: neither is set, and the cluster's default holds.
double job_walltime_s(const RunSpec& spec);

/// How long before its end a job of `walltime_s` begins to save its state.
double walltime_lead_s(double walltime_s);

/// Seconds that a worker has in such a job; 0: not known.
double usable_walltime_s(const RunSpec& spec);

/// "MM:SS", "HH:MM:SS" or "D-HH:MM:SS" as clusters write times; nothing for words such as UNLIMITED.
std::optional<double> seconds_of(const std::string& text);

/// Unix seconds when the allocation ends that this process runs in (salloc, sbatch, qsub -I), as the cluster
/// says; nothing outside of one, where it has no end, or where the cluster does not answer.
std::optional<double> allocation_end();

}  // namespace expctl
