// Attention in bf16 and fp16 on tensor cores, as FlashAttention-2 has it (Dao 2023): a warp has 16 rows of a
// tile of scores in registers, and what it makes of them is the left side of the next product as it stands.
//
// Sequences of a question-answering model are short, so tiles are small: 64 rows. The gradient of queries and
// that of keys and values are computed by a kernel each, scores twice, instead of by one that adds to shared
// sums in whatever order: the result is the same each time.
#include "trainer/kernels/tiles.cuh"

namespace expctl::cuda {
namespace {

/// Whether dropout keeps an element and the one kMaskPair behind it.
struct KeptPair {
  bool first, second;

  __device__ KeptPair(const AttentionSizes& sizes, uint64_t key, int32_t element) {
    const uint32_t bits = mask_pair(key, static_cast<uint32_t>(element)),
                   threshold = sizes.mask.threshold << 16;
    first = bits << 16 >= threshold;
    second = bits >= threshold;
  }
};

/// The scores of columns from `count` on become those of no weight.
template <int kColumns>
__device__ inline void leave_out_from(Sums (&scores)[kColumns], int32_t count) {
  if (count >= kColumns * 8) return;
#pragma unroll
  for (int j = 0; j < kColumns; ++j) {
#pragma unroll
    for (int e = 0; e < 4; ++e) scores[j][e] = column_in(j, e) < count ? scores[j][e] : -INFINITY;
  }
}

/// A block has kTile queries.
template <typename T, int kSize, bool kDropout>
__global__ void __launch_bounds__(kBlock, kSize > 64 ? 1 : 4)
    tensor_attention_kernel(const T* qkv, RowsOnDevice rows, AttentionSizes sizes, T* context,
                            float* log_sums) {
  const AttentionHead<T> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTile;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int32_t warp_row = begin + static_cast<int>(threadIdx.x) / kWarp * 16;
  __shared__ TilePairs<T, kSize> tiles;
  Left queries[kSize / 16];
  tiles.first[0].load(head.query, head.ld, begin, head.length, size);
  end_of_copies();
  wait_for_copies<0>();
  __syncthreads();
  load_left<T, kSize>(queries, tiles.first[0]);
  __syncthreads();
  const float to_power = head.scale * kLog2E;
  float largest[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0};
  const uint64_t mask_keys[2] = {head.template mask_key<kDropout>(sizes, warp_row + lane / 4),
                                 head.template mask_key<kDropout>(sizes, warp_row + lane / 4 + 8)};
  Sums sums[kSize / 8] = {};
  const auto add_tile = [&](const Tile<T, kSize>& keys, const Tile<T, kSize>& values, int32_t first, int) {
    Sums weights[kTile / 8];
    times_transposed<T, kSize, kTile / 8>(weights, queries, keys, 0);
    leave_out_from(weights, head.length - first);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float now = largest[r];
#pragma unroll
      for (int j = 0; j < kTile / 8; ++j) now = fmaxf(now, fmaxf(weights[j][2 * r], weights[j][2 * r + 1]));
      now = quad_max(now);
      const float before = fast_exp2((largest[r] - now) * to_power), at_largest = now * to_power;
      largest[r] = now;
      total[r] *= before;
#pragma unroll
      for (int j = 0; j < kSize / 8; ++j) {
        sums[j][2 * r] *= before;
        sums[j][2 * r + 1] *= before;
      }
#pragma unroll
      for (int j = 0; j < kTile / 8; ++j) {
#pragma unroll
        for (int e = 2 * r; e < 2 * r + 2; ++e) {
          weights[j][e] = fast_exp2(fmaf(weights[j][e], to_power, -at_largest));
          total[r] += weights[j][e];  // of a lane's columns
        }
      }
#pragma unroll
      for (int j = 0; kDropout && j < kTile / 8; j += 2) {
#pragma unroll
        for (int e = 2 * r; e < 2 * r + 2; ++e) {
          const KeptPair kept(sizes, mask_keys[r], first + column_in(j, e));
          weights[j][e] = kept.first ? weights[j][e] : 0.0f;
          weights[j + 1][e] = kept.second ? weights[j + 1][e] : 0.0f;
        }
      }
    }
    add_product<T, kSize, kTile / 8>(sums, weights, values, 0);
  };
  for_tiles<T, kSize>(
      tiles, head.key, head.ld, head.value, head.ld, head.length, size, [](int32_t, int) {}, add_tile);
  const float totals[2] = {quad_sum(total[0]), quad_sum(total[1])};
  const float factors[2] = {sizes.mask.scale / totals[0], sizes.mask.scale / totals[1]};
  const int64_t hidden = sizes.heads * sizes.head_size;
  store_rows<T, kSize>(sums, factors, head.length - warp_row, size,
                       context + (head.first + warp_row) * hidden + head.index * sizes.head_size, hidden);
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int32_t row = warp_row + lane / 4 + r * 8;
    if (lane % 4 == 0 && row < head.length)
      log_sums[head.index * rows.rows + head.first + row] = largest[r] * head.scale + logf(totals[r]);
  }
}

/// A block has the gradients of kTile queries, and writes `alongs`.
template <typename T, int kSize, bool kDropout>
__global__ void __launch_bounds__(kBlock, kSize > 64 ? 1 : 4)
    tensor_query_gradient_kernel(const T* qkv, RowsOnDevice rows, AttentionSizes sizes,
                                 AttentionKept<T> saved, const T* context, float* alongs, T* dqkv) {
  const AttentionHead<T> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTile;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int32_t warp_row = begin + static_cast<int>(threadIdx.x) / kWarp * 16;
  const int64_t hidden = sizes.heads * sizes.head_size;
  __shared__ TilePairs<T, kSize> tiles;
  Left queries[kSize / 16], gradients[kSize / 16], contexts[kSize / 16];
  load_left<T, kSize>(contexts, context + (head.first + warp_row) * hidden + head.index * sizes.head_size,
                      hidden, head.length - warp_row, size);
  tiles.first[0].load(head.query, head.ld, begin, head.length, size);
  tiles.second[0].load(saved.dcontext + head.first * hidden + head.index * sizes.head_size, hidden, begin,
                       head.length, size);
  end_of_copies();
  wait_for_copies<0>();
  __syncthreads();
  load_left<T, kSize>(queries, tiles.first[0]);
  load_left<T, kSize>(gradients, tiles.second[0]);
  __syncthreads();
  const float to_power = head.scale * kLog2E;
  float log_sum[2] = {0, 0}, along[2] = {0, 0};
  products_of_rows<T, kSize>(along, gradients, contexts);
  uint64_t mask_keys[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int32_t row = warp_row + lane / 4 + r * 8;
    mask_keys[r] = head.template mask_key<kDropout>(sizes, row);
    if (row >= head.length) continue;
    const int64_t place = head.index * rows.rows + head.first + row;
    log_sum[r] = saved.log_sums[place] * kLog2E;
    if (lane % 4 == 0) alongs[place] = along[r];
  }
  Sums sums[kSize / 8] = {};
  const auto add_tile = [&](const Tile<T, kSize>& keys, const Tile<T, kSize>& values, int32_t first, int) {
#pragma unroll 1
    for (int half = 0; half < kTile; half += kHalf) {
      if (first + half >= head.length) break;
      Sums scores[kHalf / 8], by_weight[kHalf / 8];
      times_transposed<T, kSize, kHalf / 8>(scores, queries, keys, half);
      times_transposed<T, kSize, kHalf / 8>(by_weight, gradients, values, half);
      leave_out_from(scores, head.length - first - half);
#pragma unroll
      for (int j = 0; kDropout && j < kHalf / 8; j += 2) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const KeptPair kept(sizes, mask_keys[e / 2], first + half + column_in(j, e));
          by_weight[j][e] = kept.first ? by_weight[j][e] : 0.0f;
          by_weight[j + 1][e] = kept.second ? by_weight[j + 1][e] : 0.0f;
        }
      }
#pragma unroll
      for (int j = 0; j < kHalf / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float weight = fast_exp2(fmaf(scores[j][e], to_power, -log_sum[e / 2]));
          scores[j][e] = weight * fmaf(by_weight[j][e], sizes.mask.scale, -along[e / 2]);
        }
      }
      add_product<T, kSize, kHalf / 8>(sums, scores, keys, half);
    }
  };
  for_tiles<T, kSize>(
      tiles, head.key, head.ld, head.value, head.ld, head.length, size, [](int32_t, int) {}, add_tile);
  store_rows<T, kSize>(sums, {head.scale, head.scale}, head.length - warp_row, size,
                       dqkv + (head.first + warp_row) * head.ld + head.index * sizes.head_size, head.ld);
}

/// What the gradients of keys need of a query.
struct alignas(16) OfQuery {
  uint64_t mask_key;
  float log_sum, along;
};

/// A block has the gradients of kTile keys and values: its rows are keys, its columns queries.
template <typename T, int kSize, bool kDropout>
__global__ void __launch_bounds__(kBlock, kSize > 64 ? 1 : 3)
    tensor_key_gradient_kernel(const T* qkv, RowsOnDevice rows, AttentionSizes sizes, AttentionKept<T> saved,
                               T* dqkv) {
  const AttentionHead<T> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTile;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int32_t warp_row = begin + static_cast<int>(threadIdx.x) / kWarp * 16;
  const int64_t hidden = sizes.heads * sizes.head_size;
  const T* dcontext = saved.dcontext + head.first * hidden + head.index * sizes.head_size;
  __shared__ TilePairs<T, kSize> tiles;
  __shared__ OfQuery of_queries[2][kTile];  ///< of a stage
  Left keys[kSize / 16], values[kSize / 16];
  tiles.first[0].load(head.key, head.ld, begin, head.length, size);
  tiles.second[0].load(head.value, head.ld, begin, head.length, size);
  end_of_copies();
  wait_for_copies<0>();
  __syncthreads();
  load_left<T, kSize>(keys, tiles.first[0]);
  load_left<T, kSize>(values, tiles.second[0]);
  __syncthreads();
  const float to_power = head.scale * kLog2E;
  Sums of_key[kSize / 8] = {}, of_value[kSize / 8] = {};
  const auto load_numbers = [&](int32_t first, int stage) {
    const auto i = static_cast<int>(threadIdx.x);
    if (i >= kTile) return;
    const bool is_there = first + i < head.length;
    const int64_t place = head.index * rows.rows + head.first + first + i;
    of_queries[stage][i] = {
        head.template mask_key<kDropout>(sizes, first + i),
        is_there ? saved.log_sums[place] * kLog2E : INFINITY,  // no weight where no query is
        is_there ? saved.along[place] : 0.0f};
  };
  const auto add_tile = [&](const Tile<T, kSize>& queries, const Tile<T, kSize>& gradients, int32_t first,
                            int stage) {
#pragma unroll 1
    for (int half = 0; half < kTile; half += kHalf) {
      if (first + half >= head.length) break;
      Sums weights[kHalf / 8], by_score[kHalf / 8];
      times_transposed<T, kSize, kHalf / 8>(weights, keys, queries, half);
      times_transposed<T, kSize, kHalf / 8>(by_score, values, gradients, half);
#pragma unroll
      for (int j = 0; j < kHalf / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const OfQuery query = of_queries[stage][half + column_in(j, e)];
          const KeptPair kept(sizes, query.mask_key, warp_row + lane / 4);
          const auto combine = [&](float& score, float& gradient, bool is_kept) {
            const float weight = fast_exp2(fmaf(score, to_power, -query.log_sum));
            const bool stays = !kDropout || is_kept;
            score = stays ? weight : 0.0f;
            gradient = weight * fmaf(stays ? gradient : 0.0f, sizes.mask.scale, -query.along);
          };
          combine(weights[j][e], by_score[j][e], kept.first);
          combine(weights[j][e + 2], by_score[j][e + 2], kept.second);
        }
      }
      add_product<T, kSize, kHalf / 8>(of_value, weights, gradients, half);
      add_product<T, kSize, kHalf / 8>(of_key, by_score, queries, half);
    }
  };
  for_tiles<T, kSize>(tiles, head.query, head.ld, dcontext, hidden, head.length, size, load_numbers,
                      add_tile);
  T* to = dqkv + (head.first + warp_row) * head.ld + hidden + head.index * sizes.head_size;
  store_rows<T, kSize>(of_key, {head.scale, head.scale}, head.length - warp_row, size, to, head.ld);
  store_rows<T, kSize>(of_value, {sizes.mask.scale, sizes.mask.scale}, head.length - warp_row, size,
                       to + hidden, head.ld);
}

/// f.template operator()<size, dropout>() for the least size that there is a kernel for.
template <typename F>
void for_sizes(const AttentionSizes& sizes, const F& f) {
  for_dropout(sizes.mask, [&]<bool kDropout>() {
    if (sizes.head_size <= 16) return f.template operator()<16, kDropout>();
    if (sizes.head_size <= 32) return f.template operator()<32, kDropout>();
    if (sizes.head_size <= 64) return f.template operator()<64, kDropout>();
    if (sizes.head_size <= 128) return f.template operator()<128, kDropout>();
    throw Error("attention heads of more than 128 are not computed on a GPU");
  });
}

dim3 grid_of(const RowsOnDevice& rows, const AttentionSizes& sizes) {
  return dim3(blocks_for(rows.longest, kTile), static_cast<unsigned>(sizes.heads),
              static_cast<unsigned>(rows.sequences));
}

}  // namespace

template <typename T>
void attention(const T* qkv, const RowsOnDevice& rows, const AttentionSizes& sizes, T* context,
               float* log_sums, cudaStream_t stream) {
  for_sizes(sizes, [&]<int kSize, bool kDropout>() {
    launch(tensor_attention_kernel<T, kSize, kDropout>, grid_of(rows, sizes), kBlock, stream, qkv, rows,
           sizes, context, log_sums);
  });
}

template <typename T>
void attention_gradient(const T* dcontext, const T* qkv, const T* context, const float* log_sums,
                        const RowsOnDevice& rows, const AttentionSizes& sizes, float* along, T* dqkv,
                        cudaStream_t stream) {
  const AttentionKept<T> saved{dcontext, log_sums, along};
  for_sizes(sizes, [&]<int kSize, bool kDropout>() {
    launch(tensor_query_gradient_kernel<T, kSize, kDropout>, grid_of(rows, sizes), kBlock, stream, qkv, rows,
           sizes, saved, context, along, dqkv);
    launch(tensor_key_gradient_kernel<T, kSize, kDropout>, grid_of(rows, sizes), kBlock, stream, qkv, rows,
           sizes, saved, dqkv);
  });
}

#define EXPCTL_ATTENTION_OF(T)                                                                             \
  template void attention(const T*, const RowsOnDevice&, const AttentionSizes&, T*, float*, cudaStream_t); \
  template void attention_gradient(const T*, const T*, const T*, const float*, const RowsOnDevice&,        \
                                   const AttentionSizes&, float*, T*, cudaStream_t);
EXPCTL_ATTENTION_OF(__nv_bfloat16)
EXPCTL_ATTENTION_OF(__half)
#undef EXPCTL_ATTENTION_OF

}  // namespace expctl::cuda
