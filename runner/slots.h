// The cores of this machine, lent to runs: a slot is what one run computes on, and gives it back when it is
// destroyed.
//
// Not thread-safe; a pool outlives its slots.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "core/request.h"
#include "core/run_spec.h"

namespace expctl {

/// The cores that this process may use.
std::vector<int> usable_cpus();

class SlotPool;

class Slot {
 public:
  Slot(Slot&& other) noexcept : pool_(other.pool_), cpus_(std::move(other.cpus_)), bound_(other.bound_) {
    other.pool_ = nullptr;
  }
  Slot& operator=(Slot&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(cpus_, other.cpus_);
    std::swap(bound_, other.bound_);
    return *this;
  }
  ~Slot();

  /// One thread a core; bound to them unless the run has all cores.
  DeviceAssignment devices() const;

 private:
  friend class SlotPool;
  Slot(SlotPool& pool, std::vector<int> cpus, bool bound)
      : pool_(&pool), cpus_(std::move(cpus)), bound_(bound) {}

  SlotPool* pool_;
  std::vector<int> cpus_;
  bool bound_;
};

class SlotPool {
 public:
  /// Throws Error where `cpus` is empty.
  explicit SlotPool(std::vector<int> cpus);

  /// Throws Error where this machine can never give what the run asks for: a GPU, or more cores than there
  /// are.
  void check(const RunSpec& spec) const;

  /// What the run needs (cpus = 0: all cores for a native run, one for a command), or nothing while others
  /// have it.
  std::optional<Slot> take(const RunSpec& spec);

 private:
  friend class Slot;
  size_t cores_for(const RunSpec& spec) const;

  size_t total_;
  std::vector<int> free_;  ///< sorted
};

}  // namespace expctl
