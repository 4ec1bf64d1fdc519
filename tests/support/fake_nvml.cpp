// A libnvidia-ml.so.1 of GPUs that do not exist: those of the file $FAKE_NVML/gpus, a line each,
//   UUID;name;PCI bus;MiB[;number of the GPU that it is an instance of]
// $FAKE_NVML/used/UUID says how many MiB are in use (0 where there is none), and a GPU with a file
// $FAKE_NVML/lost/UUID has fallen off the bus.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct FakeGpu {
  std::string uuid, name, bus;
  unsigned long long mib = 0;
  int parent = -1;
};

std::filesystem::path folder() {
  const char* path = std::getenv("FAKE_NVML");
  return path == nullptr ? "" : path;
}

std::vector<FakeGpu>& gpus() {
  static std::vector<FakeGpu> all;
  return all;
}

FakeGpu& gpu(void* handle) {
  return *static_cast<FakeGpu*>(handle);
}

bool is_lost(const FakeGpu& one) {
  return std::filesystem::exists(folder() / "lost" / one.uuid);
}

std::vector<FakeGpu*> whole() {
  std::vector<FakeGpu*> found;
  for (auto& one : gpus()) {
    if (one.parent < 0) found.push_back(&one);
  }
  return found;
}

std::vector<FakeGpu*> instances_of(const FakeGpu& one) {
  const auto all = whole();
  std::vector<FakeGpu*> found;
  for (auto& other : gpus()) {
    if (other.parent >= 0 && all[static_cast<size_t>(other.parent)] == &one) found.push_back(&other);
  }
  return found;
}

int copy(const std::string& text, char* to, unsigned size) {
  if (text.size() >= size) return 7;
  std::memcpy(to, text.c_str(), text.size() + 1);
  return 0;
}

struct Memory2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
struct Pci {
  char legacy[16];
  unsigned domain, bus, device, id, subsystem;
  char bus_id[32];
};

constexpr int kLost = 15, kNotSupported = 3, kNotFound = 6, kNoDriver = 9;

}  // namespace

extern "C" {

int nvmlInit_v2() {
  std::ifstream file(folder() / "gpus");
  if (!file) return kNoDriver;
  gpus().clear();
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    FakeGpu one;
    std::string mib, parent;
    std::getline(fields, one.uuid, ';');
    std::getline(fields, one.name, ';');
    std::getline(fields, one.bus, ';');
    std::getline(fields, mib, ';');
    one.mib = std::stoull(mib);
    if (std::getline(fields, parent, ';')) one.parent = std::stoi(parent);
    gpus().push_back(one);
  }
  return 0;
}
int nvmlShutdown() {
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(whole().size());
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  const auto all = whole();
  if (index >= all.size()) return 2;
  *handle = all[index];
  return is_lost(*all[index]) ? kLost : 0;
}
int nvmlDeviceGetHandleByUUID(const char* uuid, void** handle) {
  for (auto& one : gpus()) {
    if (one.uuid != uuid) continue;
    *handle = &one;
    return is_lost(one) ? kLost : 0;
  }
  return kNotFound;
}
int nvmlDeviceGetUUID(void* handle, char* to, unsigned size) {
  return copy(gpu(handle).uuid, to, size);
}
int nvmlDeviceGetName(void* handle, char* to, unsigned size) {
  return copy(gpu(handle).name, to, size);
}
int nvmlDeviceGetPciInfo_v3(void* handle, Pci* pci) {
  return copy(gpu(handle).bus, pci->bus_id, sizeof pci->bus_id);
}
int nvmlDeviceGetMemoryInfo_v2(void* handle, Memory2* memory) {
  if (memory->version != (sizeof(Memory2) | 2U << 24)) return 25;
  const FakeGpu& one = gpu(handle);
  if (is_lost(one)) return kLost;
  unsigned long long used = 0;
  std::ifstream(folder() / "used" / one.uuid) >> used;
  constexpr unsigned long long kReservedMib = 600;
  memory->total = one.mib << 20;
  memory->reserved = kReservedMib << 20;
  memory->used = used << 20;
  memory->free = memory->total - memory->reserved - memory->used;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void* handle, unsigned* gpu_and_memory) {
  if (gpu(handle).parent >= 0) return kNotSupported;
  gpu_and_memory[0] = 97;
  gpu_and_memory[1] = 40;
  return 0;
}
int nvmlDeviceGetPowerUsage(void* handle, unsigned* milliwatts) {
  if (gpu(handle).parent >= 0) return kNotSupported;
  *milliwatts = 412'500;
  return 0;
}
int nvmlDeviceGetClockInfo(void* handle, unsigned type, unsigned* mhz) {
  if (gpu(handle).parent >= 0 || type != 1) return kNotSupported;
  *mhz = 1755;
  return 0;
}
int nvmlDeviceGetMigMode(void* handle, unsigned* current, unsigned* pending) {
  *current = *pending = instances_of(gpu(handle)).empty() ? 0 : 1;
  return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(void*, unsigned* count) {
  *count = 7;
  return 0;
}
int nvmlDeviceGetMigDeviceHandleByIndex(void* handle, unsigned index, void** instance) {
  const auto all = instances_of(gpu(handle));
  if (index >= all.size()) return kNotFound;
  *instance = all[index];
  return 0;
}
}
