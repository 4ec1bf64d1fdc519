#include "runner/gpu_log.h"

#include <fstream>

#include "core/json.h"

namespace expctl {

void GpuLog::find_devices() {
  nvml_ = Nvml::load();
  if (!nvml_) return;
  for (const auto& device : nvml_->devices()) {
    for (auto& gpu : gpus_) {
      if (gpu == std::to_string(device.index)) gpu = device.uuid;
    }
  }
}

void GpuLog::write(double now_s) {
  const bool is_first = last_ == 0;
  if (is_first) last_ = now_s;  // a short run is over before NVML is loaded
  if (now_s - last_ < kEvery_s) return;
  last_ = now_s;
  if (!nvml_) find_devices();
  if (!nvml_) return;
  std::ofstream file(file_, std::ios::app);
  for (const auto& gpu : gpus_) {
    const auto reading = nvml_->read(gpu);
    if (!reading) continue;
    file << json_line({{"time", now_s},
                       {"gpu", gpu},
                       {"memory_used", reading->memory_used},
                       {"utilization_percent", json_or_null(reading->utilization_percent)},
                       {"power_w", json_or_null(reading->power_w)},
                       {"sm_clock_mhz", json_or_null(reading->sm_clock_mhz)}})
         << '\n';
  }
}

}  // namespace expctl
