// Self-attention of every head over every sequence of a packed batch.
#pragma once

#include <cstdint>

#include "trainer/dropout.h"
#include "trainer/packed_batch.h"

namespace expctl {

struct AttentionShape {
  const PackedBatch* batch;
  int64_t heads, head_size;
  DropoutKey key;
  int64_t first_site;  ///< of the first head's masks; the others' follow
  double dropout;
};

/// context[T, hidden] of qkv[T, 3 hidden]; log_sums[heads, T] is what the backward pass needs.
template <typename T>
void self_attention(const AttentionShape& shape, const T* qkv, T* context, float* log_sums);

template <typename T>
void self_attention_gradient(const AttentionShape& shape, const T* qkv, const T* context,
                             const float* log_sums, const T* dcontext, T* dqkv);

}  // namespace expctl
