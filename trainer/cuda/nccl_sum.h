// Gradients of a GPU's share summed over all ranks by NCCL, on a stream of its own beside the backward pass.
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstdint>

#include "trainer/cuda/stream.h"
#include "trainer/ranks.h"

namespace expctl::cuda {

/// Every rank makes the same calls in the same order. What it launches can be captured in a graph once it has
/// been done.
class NcclSum {
 public:
  /// Each rank has a GPU of its own. `ranks` tells the others who they are.
  explicit NcclSum(Ranks& ranks);
  ~NcclSum();
  NcclSum(const NcclSum&) = delete;
  NcclSum& operator=(const NcclSum&) = delete;

  /// Replaces `count` numbers, which what is on `stream` so far completes, by their sums over the ranks.
  /// Until finish() nothing may touch them.
  void begin(float* values, int64_t count, cudaStream_t stream) { begin(values, count, ncclFloat32, stream); }
  void begin(double* values, int64_t count, cudaStream_t stream) {
    begin(values, count, ncclFloat64, stream);
  }
  /// What is put on `stream` afterwards comes after the sums.
  void finish(cudaStream_t stream) { beside_.hold(stream); }

 private:
  void begin(void* values, int64_t count, ncclDataType_t type, cudaStream_t stream);

  SideStream beside_;
  ncclComm_t ranks_ = nullptr;
};

}  // namespace expctl::cuda
