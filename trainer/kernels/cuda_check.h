// What CUDA says of a call that has failed, as expctl's errors.
#pragma once

#include <cuda_runtime_api.h>

#include <new>
#include <string>

#include "core/error.h"

namespace expctl::cuda {

/// Throws bad_alloc where memory was lacking, else Error.
inline void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it is told here, and not to whoever asks next
    throw std::bad_alloc();
  }
  throw Error(std::string("CUDA: ") + cudaGetErrorString(error));
}

}  // namespace expctl::cuda
