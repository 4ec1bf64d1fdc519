#include "runner/slots.h"

#include <fmt/core.h>
#include <sched.h>

#include <algorithm>

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

Slot::~Slot() {
  if (pool_ == nullptr) return;
  pool_->free_.insert(pool_->free_.end(), cpus_.begin(), cpus_.end());
  std::sort(pool_->free_.begin(), pool_->free_.end());
}

DeviceAssignment Slot::devices() const {
  DeviceAssignment devices;
  devices.threads = static_cast<int>(cpus_.size());
  if (bound_) devices.cpu_ids = cpus_;
  return devices;
}

SlotPool::SlotPool(std::vector<int> cpus) : total_(cpus.size()), free_(std::move(cpus)) {
  if (free_.empty()) throw Error("no core to run on");
  std::sort(free_.begin(), free_.end());
}

void SlotPool::check(const RunSpec& spec) const {
  if (spec.resources.gpus > 0) {
    throw Error(fmt::format("gpus = {}: no GPU was found", spec.resources.gpus),
                "this version of expctl computes on the CPU: take 'gpus' out, or set gpus = 0");
  }
  if (cores_for(spec) > total_) {
    throw Error(fmt::format("cpus = {}: this machine has {} cores to use", spec.resources.cpus, total_));
  }
}

std::optional<Slot> SlotPool::take(const RunSpec& spec) {
  const size_t wanted = cores_for(spec);
  if (wanted > free_.size()) return std::nullopt;
  std::vector<int> cpus(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(wanted));
  free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(wanted));
  return Slot(*this, std::move(cpus), wanted < total_);
}

size_t SlotPool::cores_for(const RunSpec& spec) const {
  if (spec.resources.cpus > 0) return static_cast<size_t>(spec.resources.cpus);
  return spec.is_command() ? 1 : total_;
}

}  // namespace expctl
