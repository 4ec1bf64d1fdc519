// Which of a machine's GPUs this process may use: functions of values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/nvml.h"

namespace expctl {

/// What an inherited CUDA_VISIBLE_DEVICES leaves of the devices, in its order; all where it is unset. As in
/// CUDA the first entry that names none ends the list. Its numbers are CUDA's: by PCI bus where all GPUs are
/// alike or `order` (CUDA_DEVICE_ORDER) is "PCI_BUS_ID"; otherwise they cannot be told, and an Error asks for
/// UUIDs.
std::vector<GpuDevice> visible_gpus(const std::vector<GpuDevice>& devices,
                                    const std::optional<std::string>& visible,
                                    const std::optional<std::string>& order);

/// Those that --gpus names: nvidia-smi's numbers or UUIDs, separated by commas. Throws Error (kUsage) that
/// lists what there is where one is not among `devices`.
std::vector<GpuDevice> chosen_gpus(const std::vector<GpuDevice>& devices, const std::string& list);

}  // namespace expctl
