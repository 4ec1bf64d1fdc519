// Memory of the GPU, and of the host where the GPU copies from and to.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "trainer/kernels/cuda_check.h"

namespace expctl::cuda {

/// `count` elements without a value.
template <typename T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(int64_t count) : count_(count) {
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes()));
    data_ = static_cast<T*>(memory);
  }
  /// A copy of `values`.
  explicit DeviceBuffer(const std::vector<T>& values) : DeviceBuffer(static_cast<int64_t>(values.size())) {
    check(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice));
    check(cudaStreamSynchronize(
        nullptr));  // else it may still be on its way, and other streams do not wait for it
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceBuffer() {
    if (data_ != nullptr) cudaFree(data_);  // of nothing it would still end a capture
  }

  T* data() const { return data_; }
  int64_t count() const { return count_; }
  size_t bytes() const { return static_cast<size_t>(count_) * sizeof(T); }
  void fill_with_zeros(cudaStream_t stream) { check(cudaMemsetAsync(data_, 0, bytes(), stream)); }

 private:
  void swap(DeviceBuffer& other) {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }

  T* data_ = nullptr;
  int64_t count_ = 0;
};

/// Elements on the host that never leave their place in memory, so that copies need not wait.
template <typename T>
class PinnedBuffer {
 public:
  explicit PinnedBuffer(int64_t count) {
    void* memory = nullptr;
    check(cudaMallocHost(&memory, static_cast<size_t>(count) * sizeof(T)));
    data_ = static_cast<T*>(memory);
  }
  PinnedBuffer(PinnedBuffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  PinnedBuffer& operator=(PinnedBuffer&&) = delete;
  ~PinnedBuffer() {
    if (data_ != nullptr) cudaFreeHost(data_);
  }

  T* data() const { return data_; }

 private:
  T* data_ = nullptr;
};

}  // namespace expctl::cuda
