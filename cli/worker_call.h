// One call of expctl-train by a command that waits for it.
#pragma once

#include <filesystem>
#include <string>

#include "core/request.h"

namespace expctl {

/// The request of a task in `folder`: all cores of this machine, no time limit, expctl-train's own command
/// line. Throws Error where there is no expctl-train.
WorkerRequest make_worker_request(WorkerTask task, RunSpec spec, const std::filesystem::path& folder);

/// Does it in `folder` under a supervisor (runner/supervisor.h). Returns the signal that has ended it, or 0;
/// throws Error "`what` failed: ..." where it failed.
int call_worker(const WorkerRequest& request, const std::filesystem::path& folder, const std::string& what);

}  // namespace expctl
