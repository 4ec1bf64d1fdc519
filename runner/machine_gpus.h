// The GPUs of this machine that this process may use, ready to be lent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runner/gpu_pool.h"
#include "runner/nvml.h"

namespace expctl {

class MachineGpus {
 public:
  /// What NVML finds, an inherited CUDA_VISIBLE_DEVICES leaves, and `chosen` (--gpus; "": all) names. Throws
  /// Error where one of those cannot be understood.
  explicit MachineGpus(const std::string& chosen = "");

  const std::vector<GpuDevice>& devices() const { return devices_; }
  GpuPool& pool() { return *pool_; }

 private:
  std::unique_ptr<Nvml> nvml_;
  std::vector<GpuDevice> devices_;
  std::unique_ptr<GpuPool> pool_;
};

}  // namespace expctl
