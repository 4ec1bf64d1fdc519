#include "trainer/cuda/device_memory.h"

#include <fmt/core.h>

#include <new>

namespace expctl::cuda {

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it is told here, and not to whoever asks next
    throw std::bad_alloc();
  }
  throw Error(fmt::format("CUDA: {}", cudaGetErrorString(error)));
}

}  // namespace expctl::cuda
