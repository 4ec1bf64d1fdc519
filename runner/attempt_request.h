// What is asked of an attempt, written into the run's folder before it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/request.h"
#include "core/run_paths.h"
#include "registry/records.h"

namespace expctl {

/// The variables by which a program keeps to its devices.
std::vector<std::pair<std::string, std::string>> device_environment(const DeviceAssignment& devices,
                                                                    const ResourceSpec& wanted);

/// The request of one attempt: the command line with its placeholders filled in and the environment. `worker`
/// is expctl-train (not used by a command), which a run on several GPUs has started by mpirun. Throws Error
/// for a command that cannot be filled in.
WorkerRequest make_request(const RunRecord& run, int attempt, const std::string& token,
                           const DeviceAssignment& devices, const std::filesystem::path& worker,
                           const RunPaths& paths);

/// Makes the folder, removes what an earlier attempt said about its end and its predictions (never its
/// state), writes request.json and command.txt.
void write_attempt(const WorkerRequest& request, const RunPaths& paths);

/// Removes what asked for the end of an earlier attempt: what is made from here on is heeded.
void remove_end_requests(const RunPaths& paths);

/// Removes what an earlier attempt said about its end, and its predictions; never its state.
void remove_results(const RunPaths& paths);

/// request.json and command.txt in `paths`, of an attempt that runs (or is to be run again) in `folder`.
void write_request(const WorkerRequest& request, const RunPaths& paths, const std::filesystem::path& folder);

}  // namespace expctl
