// What the attention kernels share: where a head of a sequence lies, and which of its weights dropout keeps.
#pragma once

#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {

/// One head of one sequence: that of blockIdx.y and blockIdx.z.
template <typename T>
struct AttentionHead {
  const T *query, *key, *value;  ///< of its first row; rows are `ld` apart
  int64_t ld;
  int32_t first, length;  ///< rows
  int32_t index;
  uint64_t sequence_key;
  float scale;

  __device__ AttentionHead(const T* qkv, const RowsOnDevice& rows, const AttentionSizes& sizes) {
    const auto s = static_cast<int32_t>(blockIdx.z);
    const int64_t hidden = sizes.heads * sizes.head_size;
    index = static_cast<int32_t>(blockIdx.y);
    first = rows.first_rows[s];
    length = rows.first_rows[s + 1] - first;
    ld = 3 * hidden;
    query = qkv + first * ld + index * sizes.head_size;
    key = query + hidden;
    value = key + hidden;
    sequence_key = rows.sequence_keys[s];
    scale = rsqrtf(static_cast<float>(sizes.head_size));
  }

  /// Keys the masks of a query's weights.
  template <bool kDropout>
  __device__ uint64_t mask_key(const AttentionSizes& sizes, int32_t query_row) const {
    if (!kDropout) return 0;
    return mask_row_key(sequence_key, sizes.first_site + index, query_row);
  }
};

/// What a weight is multiplied by.
template <bool kDropout>
__device__ inline float kept(const AttentionSizes& sizes, uint64_t mask_key, int32_t key_row) {
  return kDropout ? mask_factor(mask_key, sizes.mask, static_cast<uint32_t>(key_row)) : 1.0f;
}

/// What the gradient kernels read besides qkv.
template <typename T>
struct AttentionKept {
  const T* dcontext;      ///< [rows, heads, head_size]
  const float* log_sums;  ///< [heads, rows]
  const float* along;     ///< likewise: dcontext . context
};

}  // namespace expctl::cuda
