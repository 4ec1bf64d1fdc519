#include "runner/machine_gpus.h"

#include <cstdlib>
#include <optional>

#include "runner/visible_gpus.h"

namespace expctl {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

MachineGpus::MachineGpus(const std::string& chosen) : nvml_(Nvml::load()) {
  if (nvml_)
    devices_ =
        visible_gpus(nvml_->devices(), variable("CUDA_VISIBLE_DEVICES"), variable("CUDA_DEVICE_ORDER"));
  if (!chosen.empty()) devices_ = chosen_gpus(devices_, chosen);
  const auto used_bytes = [this](const std::string& uuid) { return nvml_->memory_used(uuid); };
  // One place for all users and workspaces of the host.
  pool_ = std::make_unique<GpuPool>(devices_, used_bytes,
                                    variable("EXPCTL_GPU_LOCKS").value_or("/tmp/expctl-gpu-locks"));
}

}  // namespace expctl
