// From an expanded sweep to rows of the registry: what is new, what goes on, what is left alone.
#pragma once

#include <string>
#include <vector>

#include "core/run_paths.h"
#include "experiments/sweep_file.h"
#include "registry/registry.h"
#include "runner/estimate.h"

namespace expctl {

/// What a sweep finds for one (config hash, seed).
enum class Standing {
  kNew,        ///< no run yet: one is added
  kSucceeded,  ///< there already
  kOpen,       ///< queued or running: goes on
  kFailed,     ///< left as it is, or queued again by --retry-failed
  kEnded,      ///< stopped by a person or pruned: left
};

Standing standing_of(const std::optional<RunRecord>& run);

struct SweepEntry {
  RunSpec spec;
  Standing standing = Standing::kNew;
  std::string run_id;  ///< "" for kNew
};

/// Whether the sweep has nothing to do for it.
bool is_left(const SweepEntry& entry, bool retry_failed);

/// Reads and hashes the files that the sweep names, into sweep.base. Throws Error (kNotFound) that names the
/// key and the file, before anything has started.
void hash_inputs(SweepSpec& sweep);

/// One entry for each spec, in order; changes nothing. `registry` may be null: then all are new.
std::vector<SweepEntry> look_up(const std::vector<RunSpec>& specs, const Registry* registry);

/// Adds the new ones (ids in the order of the entries), makes all of them the sweep's, queues the failed ones
/// again if asked, and gives those that are queued the resources and paths of the file as it is now; fills in
/// run_id. The workspace's files say so too afterwards.
void enqueue(std::vector<SweepEntry>& entries, const std::string& sweep_id, bool retry_failed,
             Registry& registry, const WorkspacePaths& workspace, double now_s);

/// The runs of the workspace that have succeeded, to tell from them how long others take.
std::vector<PastRun> past_runs(const Registry& registry);

}  // namespace expctl
