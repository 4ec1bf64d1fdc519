// The cores and GPUs of this machine, lent to runs: a slot is what one run computes on, and gives it back
// when it is destroyed.
//
// Not thread-safe; a pool outlives its slots.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "core/request.h"
#include "core/run_spec.h"
#include "runner/gpu_pool.h"

namespace expctl {

/// The cores that this process may use.
std::vector<int> usable_cpus();

class SlotPool;

class Slot {
 public:
  Slot(Slot&& other) noexcept = default;
  Slot& operator=(Slot&& other) noexcept = default;

  /// A thread a core, bound to them unless the run has all cores; with GPUs a share of the threads, bound to
  /// none.
  DeviceAssignment devices() const;
  /// Of its GPUs' locks (gpu_pool.h).
  std::vector<int> lock_descriptors() const { return gpus_.lock_descriptors(); }

 private:
  friend class SlotPool;
  /// Cores, given back when it is destroyed.
  class Cores {
   public:
    Cores(SlotPool& pool, std::vector<int> cpus) : pool_(&pool), cpus_(std::move(cpus)) {}
    Cores(Cores&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), cpus_(std::move(other.cpus_)) {}
    Cores& operator=(Cores&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(cpus_, other.cpus_);
      return *this;
    }
    ~Cores();
    const std::vector<int>& cpus() const { return cpus_; }

   private:
    SlotPool* pool_;
    std::vector<int> cpus_;
  };

  Slot(Cores cores, GpuLease gpus, DeviceAssignment devices)
      : cores_(std::move(cores)), gpus_(std::move(gpus)), devices_(std::move(devices)) {}

  Cores cores_;
  GpuLease gpus_;
  DeviceAssignment devices_;
};

class SlotPool {
 public:
  /// `gpus` outlives the pool. A run that does not say how many it wants gets one where there are any: a
  /// native one only where `native_gpus`, for its worker must be able to compute on it. Throws Error where
  /// `cpus` is empty.
  SlotPool(std::vector<int> cpus, GpuPool& gpus, bool native_gpus);

  /// Throws Error where this machine can never give what the run asks for: more GPUs or cores than there are.
  void check(const Demand& wanted) const;

  /// How many GPUs a run gets.
  size_t gpus_for(const Demand& wanted) const;

  /// What the run needs, or nothing while others have it. cpus = 0: all cores for a native run, one for a
  /// command, none of its own for a run with GPUs.
  std::optional<Slot> take(const Demand& wanted);
  /// Whether take() will give it once other runs have given back what they have: not while it needs a GPU
  /// that is set aside.
  bool is_worth_waiting(const Demand& wanted) const;
  /// Whether both need GPUs, or both cores.
  bool compete(const Demand& a, const Demand& b) const;
  /// How many such runs compute side by side while no others do.
  size_t side_by_side(const Demand& wanted) const;
  /// Whether take() can be worth a try.
  bool has_room() const { return !free_.empty() || gpus_->has_room(); }

 private:
  friend class Slot;
  size_t cores_for(const Demand& wanted) const;

  size_t total_;
  std::vector<int> free_;  ///< sorted
  GpuPool* gpus_;
  bool native_gpus_;
};

}  // namespace expctl
