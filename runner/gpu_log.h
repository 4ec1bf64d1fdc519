// What the GPUs of a run do while it runs: one JSON line a reading.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runner/nvml.h"

namespace expctl {

class GpuLog {
 public:
  /// `gpus` are UUIDs or nvidia-smi's numbers, as a DeviceAssignment has them. NVML is loaded with the first
  /// reading; where it is not to be had nothing is written.
  GpuLog(std::vector<std::string> gpus, std::filesystem::path file)
      : gpus_(std::move(gpus)), file_(std::move(file)) {}

  /// Appends {"time","gpu","memory_used","utilization_percent","power_w","sm_clock_mhz"} of each GPU, where
  /// the last reading is 2 s ago; what a GPU does not tell is null.
  void write(double now_s);

 private:
  void find_devices();

  static constexpr double kEvery_s = 2;

  std::vector<std::string> gpus_;
  std::filesystem::path file_;
  std::unique_ptr<Nvml> nvml_;
  double last_ = 0;
};

}  // namespace expctl
