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
  NcclSum(Ranks& ranks, cudaStream_t stream);
  ~NcclSum();
  NcclSum(const NcclSum&) = delete;
  NcclSum& operator=(const NcclSum&) = delete;

  /// Replaces `count` numbers, which what is on the stream so far completes, by their sums over the ranks.
  /// Until finish() nothing on the stream may touch them.
  void begin(float* values, int64_t count) { begin(values, count, ncclFloat32); }
  void begin(double* values, int64_t count) { begin(values, count, ncclFloat64); }
  /// What is put on the stream afterwards comes after the sums.
  void finish();

 private:
  void begin(void* values, int64_t count, ncclDataType_t type);

  cudaStream_t stream_;
  Stream beside_;
  Event begun_, done_;
  ncclComm_t ranks_ = nullptr;
};

}  // namespace expctl::cuda
