// The decisions on a cluster's jobs, as functions of values: how an attempt has ended, what is handed in
// together.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/outcome.h"
#include "core/run_spec.h"
#include "runner/cluster.h"

namespace expctl {

/// What the jobs of one array have in common: runs whose texts differ are not of one array.
std::string array_group(const std::string& sweep_id, const RunSpec& spec);
constexpr size_t kMostTasks = 1000;  ///< of an array; Slurm's usual MaxArraySize allows indices below 1001

/// How an attempt on a cluster has ended, from what its supervisor has written and what the cluster says;
/// nothing while that is not certain. A pure function.
struct AttemptView {
  std::optional<Outcome> written;
  TaskState state = TaskState::kUnknown;
  bool is_settled = false;    ///< the cluster has said so for long enough that a file would be seen
  bool is_withdrawn = false;  ///< expctl itself has cancelled the job
  bool may_go_on = false;     ///< another attempt would begin where this one has last saved its state
};
std::optional<Outcome> end_of_attempt(const AttemptView& view);

/// How many of `waiting` runs may be handed in while `unfinished` ones are with the cluster: an array holds
/// the cap for its own jobs only. `cap` 0: there is none.
size_t may_submit(size_t waiting, size_t unfinished, int64_t cap);

}  // namespace expctl
