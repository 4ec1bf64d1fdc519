#include "runner/gpu_pool.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"

namespace expctl {
namespace {

std::string label(const GpuDevice& device) {
  return fmt::format("GPU {} ({})", device.index, device.uuid);
}

double gib(int64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(int64_t{1} << 30);
}

}  // namespace

GpuLease::~GpuLease() {
  for (const size_t place : places_) pool_->give_back(place);
}

std::vector<GpuDevice> GpuLease::devices() const {
  std::vector<GpuDevice> devices;
  for (const size_t place : places_) devices.push_back(pool_->gpus_[place].device);
  return devices;
}

std::vector<int> GpuLease::lock_descriptors() const {
  std::vector<int> descriptors;
  for (const size_t place : places_) descriptors.push_back(pool_->gpus_[place].lock->descriptor());
  return descriptors;
}

GpuPool::GpuPool(std::vector<GpuDevice> devices, GpuMemoryReader used_bytes, std::filesystem::path locks)
    : used_bytes_(std::move(used_bytes)), locks_(std::move(locks)) {
  for (auto& device : devices) {
    Gpu gpu;
    gpu.device = std::move(device);
    gpus_.push_back(std::move(gpu));
  }
}

size_t GpuPool::usable() const {
  return static_cast<size_t>(std::count_if(gpus_.begin(), gpus_.end(),
                                           [](const Gpu& gpu) { return gpu.state != State::kSetAside; }));
}

bool GpuPool::has_room() const {
  return std::any_of(gpus_.begin(), gpus_.end(), [](const Gpu& gpu) {
    return gpu.state == State::kFree || (gpu.state == State::kLent && gpu.runs < gpu.runs_per_gpu);
  });
}

bool GpuPool::is_draining() const {
  return std::any_of(gpus_.begin(), gpus_.end(),
                     [](const Gpu& gpu) { return gpu.state == State::kDraining; });
}

std::optional<GpuLease> GpuPool::take(size_t count, int64_t runs_per_gpu) {
  std::vector<size_t> places;
  const auto find = [&](auto fits) {
    for (size_t i = 0; i < gpus_.size() && places.size() < count; ++i) {
      if (fits(gpus_[i])) places.push_back(i);
    }
  };
  if (count == 1 && runs_per_gpu > 1) {
    find([&](const Gpu& gpu) {
      return gpu.state == State::kLent && gpu.runs_per_gpu == runs_per_gpu && gpu.runs < runs_per_gpu;
    });
  }
  const auto free =
      std::count_if(gpus_.begin(), gpus_.end(), [](const Gpu& gpu) { return gpu.state == State::kFree; });
  if (places.size() + static_cast<size_t>(free) < count) return std::nullopt;
  find([&](Gpu& gpu) { return gpu.state == State::kFree && has_lock(gpu); });
  if (places.size() < count) {
    for (const size_t place : places) {
      if (gpus_[place].runs == 0) gpus_[place].lock.reset();
    }
    return std::nullopt;
  }
  for (const size_t place : places) {
    Gpu& gpu = gpus_[place];
    gpu.state = State::kLent;
    gpu.runs_per_gpu = count == 1 ? runs_per_gpu : 1;
    ++gpu.runs;
  }
  return GpuLease(*this, std::move(places));
}

void GpuPool::give_back(size_t place) {
  Gpu& gpu = gpus_[place];
  if (--gpu.runs > 0) return;
  gpu.state = State::kDraining;
  gpu.draining_since = 0;
}

bool GpuPool::has_lock(Gpu& gpu) {
  if (gpu.lock) return true;
  if (::mkdir(locks_.c_str(), 0777) == 0)
    ::chmod(locks_.c_str(), 01777);  // whatever the umask: other users lock here too
  else if (errno != EEXIST)
    throw errno_error(fmt::format("cannot make {}", locks_.string()), errno);
  gpu.lock = FileLock::try_take(locks_ / (gpu.device.uuid + ".lock"), FileLock::For::kEveryone);
  return gpu.lock.has_value();
}

std::vector<std::string> GpuPool::look(double now_s) {
  std::vector<std::string> changes;
  for (auto& gpu : gpus_) {
    if (gpu.state == State::kLent) continue;
    if (auto change = look_at(gpu, now_s); !change.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

std::string GpuPool::look_at(Gpu& gpu, double now_s) {
  if (gpu.state == State::kDraining && gpu.draining_since == 0) gpu.draining_since = now_s;
  const auto used = used_bytes_(gpu.device.uuid);
  if (!used) return set_aside(gpu, "it cannot be reached any more; nvidia-smi and the kernel's log say why");
  if (*used < kFreeBelow) {
    const bool was_aside = gpu.state == State::kSetAside;
    gpu.state = State::kFree;
    gpu.lock.reset();
    return was_aside ? label(gpu.device) + " is free again" : "";
  }
  if (gpu.state != State::kDraining)
    return set_aside(gpu, fmt::format("another program uses {:.1f} GiB of it", gib(*used)));
  if (now_s - gpu.draining_since < kPatience_s) return "";
  return set_aside(gpu,
                   fmt::format("{:.1f} GiB of it are still in use {:.0f} s after its run ended; nvidia-smi "
                               "says by which process",
                               gib(*used), kPatience_s));
}

std::string GpuPool::set_aside(Gpu& gpu, const std::string& why) {
  const bool is_new = gpu.state != State::kSetAside;
  gpu.state = State::kSetAside;
  gpu.lock.reset();
  return is_new ? fmt::format("{} is set aside: {}", label(gpu.device), why) : "";
}

}  // namespace expctl
