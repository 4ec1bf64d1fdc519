// NVIDIA's management library, loaded at run time where a driver has brought it: which GPUs there are, and
// what they are doing.
//
// Source of the interface: NVIDIA's NVML API reference (R535 and later). Nothing of it is linked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace expctl {

/// A GPU, or one of the instances that it is divided into (MIG), which stand in the place of their parent.
struct GpuDevice {
  int index = 0;     ///< nvidia-smi's number, of an instance that of its parent
  std::string uuid;  ///< "GPU-..." or "MIG-..."
  std::string name;
  std::string pci_bus;
  int64_t memory_bytes = 0;
  bool is_instance = false;
};

struct GpuReading {
  int64_t memory_used = 0;  ///< bytes, without what the driver itself reserves
  // What this GPU does not tell (an instance tells little) is absent.
  std::optional<int64_t> utilization_percent;
  std::optional<double> power_w;
  std::optional<int64_t> sm_clock_mhz;
};

class Nvml {
 public:
  /// Nothing where there is no library or no driver.
  static std::unique_ptr<Nvml> load();
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  /// In nvidia-smi's order. A GPU that cannot be reached (it fell off the bus) is left out.
  std::vector<GpuDevice> devices() const;
  /// Bytes in use, without what the driver itself reserves; nothing where it can no longer be reached.
  std::optional<int64_t> memory_used(const std::string& uuid) const;
  std::optional<GpuReading> read(const std::string& uuid) const;

 private:
  struct Library;
  explicit Nvml(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

}  // namespace expctl
