#include "runner/visible_gpus.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

/// The devices as CUDA numbers them.
std::vector<GpuDevice> in_cuda_order(std::vector<GpuDevice> devices,
                                     const std::optional<std::string>& order) {
  const bool alike = std::all_of(devices.begin(), devices.end(), [&](const GpuDevice& device) {
    return device.name == devices.front().name;
  });
  if (!alike && order != "PCI_BUS_ID") {
    throw Error("CUDA_VISIBLE_DEVICES names GPUs by numbers, and CUDA numbers different GPUs by speed",
                "name them by UUID (nvidia-smi -L), or set CUDA_DEVICE_ORDER=PCI_BUS_ID as well");
  }
  std::stable_sort(devices.begin(), devices.end(),
                   [](const GpuDevice& a, const GpuDevice& b) { return a.pci_bus < b.pci_bus; });
  return devices;
}

/// The one device whose UUID begins so.
const GpuDevice* by_uuid(const std::vector<GpuDevice>& devices, std::string_view beginning) {
  const GpuDevice* found = nullptr;
  for (const auto& device : devices) {
    if (!device.uuid.starts_with(beginning)) continue;
    if (found != nullptr) return nullptr;
    found = &device;
  }
  return found;
}

bool holds(const std::vector<GpuDevice>& devices, const GpuDevice& wanted) {
  return std::any_of(devices.begin(), devices.end(),
                     [&](const GpuDevice& device) { return device.uuid == wanted.uuid; });
}

bool is_uuid(std::string_view text) {
  return text.starts_with("GPU-") || text.starts_with("MIG-");
}

}  // namespace

std::vector<GpuDevice> visible_gpus(const std::vector<GpuDevice>& devices,
                                    const std::optional<std::string>& visible,
                                    const std::optional<std::string>& order) {
  if (!visible) return devices;
  std::vector<GpuDevice> found;
  for (const auto& part : split(*visible, ',')) {
    const auto entry = trim(part);
    const GpuDevice* device = nullptr;
    std::vector<GpuDevice> numbered;
    if (is_uuid(entry)) {
      device = by_uuid(devices, entry);
    } else if (const auto number = parse_number<size_t>(entry)) {
      numbered = in_cuda_order(devices, order);
      if (*number < numbered.size()) device = &numbered[*number];
    }
    if (device == nullptr || holds(found, *device)) break;
    found.push_back(*device);
  }
  return found;
}

std::vector<GpuDevice> chosen_gpus(const std::vector<GpuDevice>& devices, const std::string& list) {
  std::vector<GpuDevice> chosen;
  const auto add = [&](const GpuDevice& device) {
    if (!holds(chosen, device)) chosen.push_back(device);
  };
  for (const auto& part : split(list, ',')) {
    const auto entry = trim(part);
    const size_t before = chosen.size();
    if (is_uuid(entry)) {
      if (const auto* device = by_uuid(devices, entry)) add(*device);
    } else if (const auto number = parse_number<size_t>(entry)) {
      for (const auto& device : devices) {
        if (device.index == static_cast<int>(*number)) add(device);  // each instance of a divided one
      }
    }
    if (chosen.size() > before) continue;
    std::vector<std::string> there;
    for (const auto& device : devices) there.push_back(fmt::format("{} ({})", device.index, device.uuid));
    throw Error(fmt::format("--gpus: '{}' names no GPU that is left to choose", entry),
                there.empty() ? "there is no GPU here that may be used" : "there are " + join(there, ", "),
                ErrorCode::kUsage);
  }
  return chosen;
}

}  // namespace expctl
