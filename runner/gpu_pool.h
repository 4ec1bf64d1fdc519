// The GPUs of this machine, lent to runs. A GPU that is lent is locked for the whole host, so that two
// workspaces never share it; when its last run has ended it is lent again as soon as its memory is free.
//
// Not thread-safe; a pool outlives its leases.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runner/file_lock.h"
#include "runner/nvml.h"

namespace expctl {

class GpuPool;

/// One or more GPUs, given back when it is destroyed.
class GpuLease {
 public:
  GpuLease() = default;  ///< of none
  GpuLease(GpuLease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), places_(std::move(other.places_)) {}
  GpuLease& operator=(GpuLease&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(places_, other.places_);
    return *this;
  }
  ~GpuLease();

  std::vector<GpuDevice> devices() const;
  /// Of the host-wide locks: whoever inherits them holds them too, as long as it lives.
  std::vector<int> lock_descriptors() const;

 private:
  friend class GpuPool;
  GpuLease(GpuPool& pool, std::vector<size_t> places) : pool_(&pool), places_(std::move(places)) {}

  GpuPool* pool_ = nullptr;
  std::vector<size_t> places_;
};

/// The bytes in use on the GPU of a UUID; nothing where it can no longer be reached.
using GpuMemoryReader = std::function<std::optional<int64_t>(const std::string& uuid)>;

class GpuPool {
 public:
  /// So much may be in use on a GPU that is free: a display, a daemon's context.
  static constexpr int64_t kFreeBelow = int64_t{1} << 30;
  /// A GPU whose memory is still in use so long after its run's end is set aside.
  static constexpr double kPatience_s = 30;

  GpuPool() = default;  ///< of none
  /// Lock files lie in `locks`, which is made when it is needed, for all users.
  GpuPool(std::vector<GpuDevice> devices, GpuMemoryReader used_bytes, std::filesystem::path locks);
  GpuPool(const GpuPool&) = delete;
  GpuPool& operator=(const GpuPool&) = delete;

  /// How many there are, those set aside included.
  size_t size() const { return gpus_.size(); }
  /// How many are not set aside.
  size_t usable() const;
  /// `count` GPUs that no other run has, or (count 1, `runs_per_gpu` above 1) one that only runs of the same
  /// number share; nothing while that cannot be had. Look at the GPUs first (look()).
  std::optional<GpuLease> take(size_t count, int64_t runs_per_gpu);
  /// Whether take() can be worth a try.
  bool has_room() const;
  /// Whether a GPU is about to be free or not, so that look() should be called again soon.
  bool is_draining() const;

  /// Takes in which GPUs have become free, or are held by others: what changed, in words for people.
  std::vector<std::string> look(double now_s);

 private:
  friend class GpuLease;
  enum class State { kUnknown, kFree, kLent, kDraining, kSetAside };
  struct Gpu {
    GpuDevice device;
    State state = State::kUnknown;
    int64_t runs = 0;
    int64_t runs_per_gpu = 1;
    double draining_since = 0;
    std::optional<FileLock> lock;
  };

  void give_back(size_t place);
  bool has_lock(Gpu& gpu);
  std::string look_at(Gpu& gpu, double now_s);
  std::string set_aside(Gpu& gpu, const std::string& why);

  std::vector<Gpu> gpus_;
  GpuMemoryReader used_bytes_;
  std::filesystem::path locks_;
};

}  // namespace expctl
