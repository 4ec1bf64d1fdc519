#include "core/environment.h"

#include "core/machine.h"
#include "core/version.h"

namespace expctl {

Json environment_of(const WorkerRequest& request) {
  const std::string& commit = request.spec.config_commit;
  return {{"schema_version", 1},
          {"host", host_name()},
          {"cpu", cpu_name()},
          {"gpus", request.devices.gpus},
          {"driver", json_or_null(nvidia_driver())},
          {"threads", request.devices.threads},
          {"expctl", version()},
          {"build_id", build_id()},
          {"config_commit", commit.empty() ? Json() : Json(commit)}};
}

}  // namespace expctl
