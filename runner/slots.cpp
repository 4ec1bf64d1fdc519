#include "runner/slots.h"

#include <fmt/core.h>
#include <sched.h>

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace expctl {

std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    throw errno_error("cannot see which cores may be used", errno);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

Slot::Cores::~Cores() {
  if (pool_ == nullptr) return;
  pool_->free_.insert(pool_->free_.end(), cpus_.begin(), cpus_.end());
  std::sort(pool_->free_.begin(), pool_->free_.end());
}

DeviceAssignment Slot::devices() const {
  return devices_;
}

SlotPool::SlotPool(std::vector<int> cpus, GpuPool& gpus, bool native_gpus)
    : total_(cpus.size()), free_(std::move(cpus)), gpus_(&gpus), native_gpus_(native_gpus) {
  if (free_.empty()) throw Error("no core to run on");
  std::sort(free_.begin(), free_.end());
}

void SlotPool::check(const Demand& wanted) const {
  if (gpus_for(wanted) > gpus_->size()) {
    throw Error(fmt::format("gpus = {}: {}", wanted.resources.gpus,
                            gpus_->size() == 0 ? "no GPU was found"
                                               : fmt::format("there are {} GPUs to use", gpus_->size())),
                "nvidia-smi -L lists them; CUDA_VISIBLE_DEVICES and --gpus say which may be used");
  }
  if (cores_for(wanted) > total_) {
    throw Error(fmt::format("cpus = {}: this machine has {} cores to use", wanted.resources.cpus, total_));
  }
}

std::optional<Slot> SlotPool::take(const Demand& wanted) {
  const size_t cores = cores_for(wanted), gpus = gpus_for(wanted);
  if (cores > free_.size()) return std::nullopt;
  auto lease = gpus > 0 ? gpus_->take(gpus, wanted.resources.runs_per_gpu) : std::optional(GpuLease());
  if (!lease) return std::nullopt;
  DeviceAssignment devices;
  const bool by_index = wanted.resources.visible_devices == "index";  // no number names an instance
  for (const auto& gpu : lease->devices())
    devices.gpus.push_back(by_index && !gpu.is_instance ? std::to_string(gpu.index) : gpu.uuid);
  const auto end = free_.begin() + static_cast<std::ptrdiff_t>(cores);
  Slot::Cores own(*this, {free_.begin(), end});
  free_.erase(free_.begin(), end);
  const size_t share = cores > 0 ? cores : std::max<size_t>(1, total_ * gpus / gpus_->size());
  devices.threads = static_cast<int>(share);
  if (cores < total_) devices.cpu_ids = own.cpus();
  return Slot(std::move(own), std::move(*lease), std::move(devices));
}

bool SlotPool::is_worth_waiting(const Demand& wanted) const {
  return gpus_for(wanted) <= gpus_->usable();
}

bool SlotPool::compete(const Demand& a, const Demand& b) const {
  return (gpus_for(a) > 0 && gpus_for(b) > 0) || (cores_for(a) > 0 && cores_for(b) > 0);
}

size_t SlotPool::side_by_side(const Demand& wanted) const {
  const size_t cores = cores_for(wanted), gpus = gpus_for(wanted);
  size_t count = cores > 0 ? total_ / cores : std::numeric_limits<size_t>::max();  // then it has GPUs
  if (gpus > 0) {
    const size_t shared = gpus == 1 ? static_cast<size_t>(wanted.resources.runs_per_gpu) : 1;
    count = std::min(count, gpus_->size() / gpus * shared);
  }
  return std::max<size_t>(1, count);
}

size_t SlotPool::gpus_for(const Demand& wanted) const {
  if (wanted.resources.gpus >= 0) return static_cast<size_t>(wanted.resources.gpus);
  return (wanted.is_command || native_gpus_) && gpus_->size() > 0 ? 1 : 0;
}

size_t SlotPool::cores_for(const Demand& wanted) const {
  if (wanted.resources.cpus > 0) return static_cast<size_t>(wanted.resources.cpus);
  if (gpus_for(wanted) > 0) return 0;
  return wanted.is_command ? 1 : total_;
}

}  // namespace expctl
