// What expctl-train does with one folder: read request.json, train and predict, write the results
// (docs/run_folder.md).
#pragma once

#include <filesystem>
#include <functional>

#include "trainer/ranks.h"

namespace expctl {

/// Returns the exit code: 0, or one of core/worker_exit.h. `is_terminated` turns true when the worker is
/// asked to end: the state is saved then. Throws Error; what was written before stays, results come last.
/// Several ranks train together; rank 0 does all else, and alone it writes. They end together where any of
/// them is asked to.
int run_worker(const std::filesystem::path& folder, const std::function<bool()>& is_terminated, Ranks& ranks);

}  // namespace expctl
