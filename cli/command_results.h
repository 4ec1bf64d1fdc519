// What a command job has left, brought into the run folder's own form: predictions.json, n-best, and the
// score.
#pragma once

#include "core/request.h"
#include "core/run_paths.h"

namespace expctl {

/// Looks for the files that [command] names (a path or a glob in the run folder; of several the newest),
/// takes none that is older than the attempt, copies them to predictions.json, nbest_predictions.json and
/// checkpoint/ (a folder's own files, not its subfolders), and scores the predictions where the run has dev
/// data with answers. A job that has left none succeeds unscored. Throws Error where predictions cannot be
/// read.
void take_command_results(const WorkerRequest& request, const RunPaths& paths);

}  // namespace expctl
