// The scheduling of a sweep: by this process, or by another that is at work in the workspace already.
#pragma once

#include <filesystem>
#include <string>

#include "cli/program.h"
#include "cli/sweep_run.h"
#include "cli/sweep_runs.h"
#include "runner/gpu_pool.h"
#include "runner/scheduler.h"

namespace expctl {

/// Until the sweep's runs have ended; waits for the scheduler that is at work in this workspace, and takes
/// over where that one ends. `worker` is expctl-train.
SchedulerEnd schedule(const Program& program, Registry& registry, GpuPool& gpus, const std::string& sweep_id,
                      SweepRuns& sweep, const std::filesystem::path& worker, const SweepRunOptions& options);

/// Whether a sweep is at work in the workspace, or waits to be.
bool is_anyone_scheduling(const WorkspacePaths& workspace);

}  // namespace expctl
