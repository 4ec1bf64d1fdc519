// FlashAttention over packed sequences (Dao 2023), LibTorch's kernels, in bf16 or fp16.
//
// Its dropout's masks are Philox numbers, not those of trainer/kernels/mask.h; but which ones is said for
// each call, so that they too are a function of seed, step, layer, sequence and position alone.
#pragma once

#include <ATen/core/Tensor.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "trainer/kernels/cuda_kernels.h"

namespace expctl::cuda {

/// The most sequences that a step may have: masks of different layers are as many apart.
inline constexpr int64_t kMostSequences = 4096;

/// What a forward pass leaves to its backward pass, in memory of LibTorch's.
struct FlashState {
  at::Tensor context;  ///< [rows, heads, head_size]
  at::Tensor log_sums, random_state, unused;
};

struct FlashGradient {
  at::Tensor query, key, value;  ///< [rows, heads, head_size] each
};

/// Before the first layer of a forward pass: what its masks are of. `first_sequence` is the place of its
/// first sequence in the step's batch.
void seed_flash_masks(uint64_t seed, int64_t step, int64_t first_sequence, int64_t heads);

/// qkv [rows, 3, heads, head_size], on the current stream. The layers of a pass follow each other.
template <typename T>
FlashState flash_attention(const T* qkv, const RowsOnDevice& rows, int64_t heads, int64_t head_size,
                           double dropout);

/// dcontext [rows, heads, head_size].
template <typename T>
FlashGradient flash_attention_gradient(const T* dcontext, const T* qkv, const FlashState& state,
                                       const RowsOnDevice& rows, int64_t heads, int64_t head_size,
                                       double dropout);

}  // namespace expctl::cuda
