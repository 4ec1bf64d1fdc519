#include "runner/cluster.h"

#include <fmt/core.h>

#include "core/error.h"
#include "runner/launcher.h"
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

void check_submit_program(const std::string& kind) {
  const std::string program = make_cluster(kind)->submit_command("").front();
  if (is_in_path(program)) return;
  throw Error(fmt::format("{} is not in PATH; nothing was queued", program),
              "run it where the cluster's commands are; --executor local trains on this machine");
}

}  // namespace expctl
