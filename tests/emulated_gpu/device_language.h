// What a kernel's source takes for granted, in plain C++: who a thread is, shared memory, barriers, shuffles.
// Included before all else where a .cu file is compiled as C++.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>

#include "tests/emulated_gpu/block.h"

// A thread of the CPU runs one block at a time.
#undef __shared__
#define __shared__ static thread_local
#undef __launch_bounds__
#define __launch_bounds__(...)

#define threadIdx (::emulated_gpu::where.thread)
#define blockIdx (::emulated_gpu::where.block)
#define blockDim (::emulated_gpu::where.block_size)
#define gridDim (::emulated_gpu::where.grid_size)

using std::isfinite;
using std::max;
using std::min;

inline float rsqrtf(float x) {
  return 1 / std::sqrt(x);
}

inline void __syncthreads() {
  emulated_gpu::wait_for_block();
}

/// Of all lanes: the kernels name no others.
template <typename T>
T __shfl_sync(unsigned, T value, unsigned of) {
  return emulated_gpu::FromLanes(value)[of % emulated_gpu::kLanes];
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, unsigned bits) {
  return emulated_gpu::FromLanes(value)[emulated_gpu::lane ^ bits];
}
