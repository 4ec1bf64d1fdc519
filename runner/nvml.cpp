#include "runner/nvml.h"

#include <dlfcn.h>

#include <array>

namespace expctl {
namespace {

// The parts of NVML's binary interface that are used here.
using Device = void*;
constexpr int kSuccess = 0;
constexpr unsigned kSmClock = 1;
constexpr unsigned kMigEnabled = 1;

struct Memory {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
constexpr unsigned kMemoryVersion = static_cast<unsigned>(sizeof(Memory)) | (2U << 24);

struct Utilization {
  unsigned gpu, memory;
};

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

using Text = std::array<char, 96>;

}  // namespace

struct Nvml::Library {
  void* handle = nullptr;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*by_index)(unsigned, Device*) = nullptr;
  int (*by_uuid)(const char*, Device*) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*pci)(Device, PciInfo*) = nullptr;
  int (*memory)(Device, Memory*) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*power)(Device, unsigned* milliwatts) = nullptr;
  int (*clock)(Device, unsigned type, unsigned* mhz) = nullptr;
  int (*mig_mode)(Device, unsigned* current, unsigned* pending) = nullptr;
  int (*mig_count)(Device, unsigned*) = nullptr;
  int (*mig_by_index)(Device, unsigned, Device*) = nullptr;

  ~Library() {
    if (handle != nullptr) ::dlclose(handle);
  }

  bool find_all() {
    return find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
           find(count, "nvmlDeviceGetCount_v2") && find(by_index, "nvmlDeviceGetHandleByIndex_v2") &&
           find(by_uuid, "nvmlDeviceGetHandleByUUID") && find(uuid, "nvmlDeviceGetUUID") &&
           find(name, "nvmlDeviceGetName") && find(pci, "nvmlDeviceGetPciInfo_v3") &&
           find(memory, "nvmlDeviceGetMemoryInfo_v2") && find(utilization, "nvmlDeviceGetUtilizationRates") &&
           find(power, "nvmlDeviceGetPowerUsage") && find(clock, "nvmlDeviceGetClockInfo") &&
           find(mig_mode, "nvmlDeviceGetMigMode") && find(mig_count, "nvmlDeviceGetMaxMigDeviceCount") &&
           find(mig_by_index, "nvmlDeviceGetMigDeviceHandleByIndex");
  }

  std::optional<Memory> memory_of(Device device) const {
    Memory info{};
    info.version = kMemoryVersion;
    return memory(device, &info) == kSuccess ? std::optional(info) : std::nullopt;
  }

  std::optional<GpuDevice> describe(Device device, unsigned index, bool is_instance) const {
    Text its_uuid{}, its_name{};
    const auto info = memory_of(device);
    if (!info || uuid(device, its_uuid.data(), its_uuid.size()) != kSuccess ||
        name(device, its_name.data(), its_name.size()) != kSuccess)
      return std::nullopt;
    PciInfo place{};
    pci(device, &place);
    return GpuDevice{static_cast<int>(index),           its_uuid.data(), its_name.data(), place.bus_id,
                     static_cast<int64_t>(info->total), is_instance};
  }

  bool is_divided(Device device) const {
    unsigned current = 0, pending = 0;
    return mig_mode(device, &current, &pending) == kSuccess && current == kMigEnabled;
  }

 private:
  template <typename F>
  bool find(F& function, const char* symbol) {
    function = reinterpret_cast<F>(::dlsym(handle, symbol));
    return function != nullptr;
  }
};

Nvml::Nvml(std::unique_ptr<Library> library) : library_(std::move(library)) {}

Nvml::~Nvml() {
  library_->shutdown();
}

std::unique_ptr<Nvml> Nvml::load() {
  auto library = std::make_unique<Library>();
  library->handle = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library->handle == nullptr || !library->find_all() || library->init() != kSuccess) return nullptr;
  return std::unique_ptr<Nvml>(new Nvml(std::move(library)));
}

std::vector<GpuDevice> Nvml::devices() const {
  std::vector<GpuDevice> found;
  const auto add = [&](Device device, unsigned index, bool is_instance) {
    if (auto described = library_->describe(device, index, is_instance))
      found.push_back(std::move(*described));
  };
  unsigned count = 0;
  if (library_->count(&count) != kSuccess) return found;
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (library_->by_index(i, &device) != kSuccess) continue;
    if (!library_->is_divided(device)) {
      add(device, i, false);
      continue;
    }
    unsigned instances = 0;
    library_->mig_count(device, &instances);
    for (unsigned k = 0; k < instances; ++k) {
      Device instance = nullptr;
      if (library_->mig_by_index(device, k, &instance) == kSuccess) add(instance, i, true);
    }
  }
  return found;
}

std::optional<int64_t> Nvml::memory_used(const std::string& uuid) const {
  Device device = nullptr;
  if (library_->by_uuid(uuid.c_str(), &device) != kSuccess) return std::nullopt;
  const auto memory = library_->memory_of(device);
  return memory ? std::optional(static_cast<int64_t>(memory->used)) : std::nullopt;
}

std::optional<GpuReading> Nvml::read(const std::string& uuid) const {
  Device device = nullptr;
  if (library_->by_uuid(uuid.c_str(), &device) != kSuccess) return std::nullopt;
  const auto memory = library_->memory_of(device);
  if (!memory) return std::nullopt;
  GpuReading reading;
  reading.memory_used = static_cast<int64_t>(memory->used);
  Utilization utilization{};
  if (library_->utilization(device, &utilization) == kSuccess) reading.utilization_percent = utilization.gpu;
  unsigned value = 0;
  if (library_->power(device, &value) == kSuccess) reading.power_w = value / 1000.0;
  if (library_->clock(device, kSmClock, &value) == kSuccess) reading.sm_clock_mhz = value;
  return reading;
}

}  // namespace expctl
