#include "runner/cluster.h"

#include "runner/pbs.h"
#include "runner/slurm.h"

namespace expctl {

bool is_over(TaskState state) {
  return state != TaskState::kUnknown && state != TaskState::kPending && state != TaskState::kRunning;
}

std::unique_ptr<Cluster> make_cluster(const std::string& kind) {
  if (kind == "pbs") return std::make_unique<Pbs>();
  return std::make_unique<Slurm>();
}

}  // namespace expctl
