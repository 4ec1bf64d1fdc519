// Attention in fp32, as FlashAttention goes about it (Dao et al. 2022): scores are computed tile by tile and
// never stored, in the backward pass again. With plain arithmetic instead of tensor cores, for exactness; its
// dropout has the masks of the CPU's.
#include "trainer/kernels/attention.cuh"

namespace expctl::cuda {
namespace {

/// A thread a row and head.
__global__ void along_kernel(const float* dcontext, const float* context, int64_t rows, int64_t heads,
                             int64_t size, float* along) {
  const int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x;
  if (i >= rows * heads) return;
  float total = 0;
#pragma unroll 4
  for (int64_t c = 0; c < size; c += 4)
    total += sum(multiply(load4(dcontext + i * size + c), load4(context + i * size + c)));
  along[i % heads * rows + i / heads] = total;
}

constexpr int kWarps = 4;
constexpr int kRowsPerWarp = 4;
constexpr int kTileRows = kWarps * kRowsPerWarp;  ///< that a block has the result of
constexpr int kTile = kWarp;                      ///< of the other side: one a lane
constexpr int kLaneParts = 4;                     ///< a lane's elements of a head: up to 128 / 32

/// Rows `from`, from + 1, ... of a matrix into shared memory; those past `length` are zeros.
template <int kRows>
__device__ inline void load_tile(const float* matrix, int64_t ld, int32_t from, int32_t length, int size,
                                 float (*tile)[129]) {
  for (int i = static_cast<int>(threadIdx.x); i < kRows * size; i += kWarps * kWarp) {
    const int r = i / size, c = i % size;
    tile[r][c] = from + r < length ? matrix[(from + r) * ld + c] : 0.0f;
  }
}

__device__ inline float dot(const float* a, const float* b, int size) {
  float total = 0;
  for (int i = 0; i < size; ++i) total += a[i] * b[i];
  return total;
}

/// A block has kTileRows queries; a lane has a key's score, and some elements of the context.
template <bool kDropout>
__global__ void __launch_bounds__(kWarps* kWarp)
    attention_kernel(const float* qkv, RowsOnDevice rows, AttentionSizes sizes, float* context,
                     float* log_sums) {
  const AttentionHead<float> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTileRows;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  __shared__ float queries[kTileRows][129], keys[kTile][129], values[kTile][129];
  load_tile<kTileRows>(head.query, head.ld, begin, head.length, size, queries);
  float largest[kRowsPerWarp], total[kRowsPerWarp], sums[kRowsPerWarp][kLaneParts] = {};
#pragma unroll
  for (int r = 0; r < kRowsPerWarp; ++r) {
    largest[r] = -INFINITY;
    total[r] = 0;
  }
  for (int32_t first = 0; first < head.length; first += kTile) {
    __syncthreads();
    load_tile<kTile>(head.key, head.ld, first, head.length, size, keys);
    load_tile<kTile>(head.value, head.ld, first, head.length, size, values);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kRowsPerWarp; ++r) {
      const int32_t query = begin + warp * kRowsPerWarp + r;
      const bool is_there = first + lane < head.length;
      const float score =
          is_there ? dot(queries[warp * kRowsPerWarp + r], keys[lane], size) * head.scale : -INFINITY;
      const float now = fmaxf(largest[r], warp_max(score));
      const float before = expf(largest[r] - now), weight = is_there ? expf(score - now) : 0.0f;
      total[r] = total[r] * before + warp_sum(weight);
      largest[r] = now;
      const float masked =
          weight * kept<kDropout>(sizes, head.mask_key<kDropout>(sizes, query), first + lane);
#pragma unroll
      for (int p = 0; p < kLaneParts; ++p) sums[r][p] *= before;
      for (int j = 0; j < kTile; ++j) {
        const float w = __shfl_sync(kAllLanes, masked, j);
#pragma unroll
        for (int p = 0; p < kLaneParts; ++p) {
          if (p * kWarp + lane < size) sums[r][p] += w * values[j][p * kWarp + lane];
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRowsPerWarp; ++r) {
    const int32_t query = begin + warp * kRowsPerWarp + r;
    if (query >= head.length) continue;
    float* to = context + ((head.first + query) * sizes.heads + head.index) * sizes.head_size;
#pragma unroll
    for (int p = 0; p < kLaneParts; ++p) {
      if (p * kWarp + lane < size) to[p * kWarp + lane] = sums[r][p] / total[r];
    }
    if (lane == 0) log_sums[head.index * rows.rows + head.first + query] = largest[r] + logf(total[r]);
  }
}

/// A block has the gradients of kTileRows queries; a lane has a key.
template <bool kDropout>
__global__ void __launch_bounds__(kWarps* kWarp)
    query_gradient_kernel(const float* qkv, RowsOnDevice rows, AttentionSizes sizes,
                          AttentionKept<float> saved, float* dqkv) {
  const AttentionHead<float> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTileRows;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  __shared__ float queries[kTileRows][129], gradients[kTileRows][129], tile[kTile][129];
  const int64_t hidden = sizes.heads * sizes.head_size;
  const float* dcontext = saved.dcontext + head.first * hidden + head.index * sizes.head_size;
  load_tile<kTileRows>(head.query, head.ld, begin, head.length, size, queries);
  load_tile<kTileRows>(dcontext, hidden, begin, head.length, size, gradients);
  const int64_t base = head.index * rows.rows + head.first;
  float sums[kRowsPerWarp][kLaneParts] = {};
  for (int32_t first = 0; first < head.length; first += kTile) {
    float by_weight[kRowsPerWarp];
    __syncthreads();
    load_tile<kTile>(head.value, head.ld, first, head.length, size, tile);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kRowsPerWarp; ++r)
      by_weight[r] = dot(gradients[warp * kRowsPerWarp + r], tile[lane], size);
    __syncthreads();
    load_tile<kTile>(head.key, head.ld, first, head.length, size, tile);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kRowsPerWarp; ++r) {
      const int32_t query = begin + warp * kRowsPerWarp + r;
      float by_score = 0;
      if (query < head.length && first + lane < head.length) {
        const float score = dot(queries[warp * kRowsPerWarp + r], tile[lane], size) * head.scale;
        by_score =
            expf(score - saved.log_sums[base + query]) *
            (by_weight[r] * kept<kDropout>(sizes, head.mask_key<kDropout>(sizes, query), first + lane) -
             saved.along[base + query]) *
            head.scale;
      }
      for (int j = 0; j < kTile; ++j) {
        const float w = __shfl_sync(kAllLanes, by_score, j);
#pragma unroll
        for (int p = 0; p < kLaneParts; ++p) {
          if (p * kWarp + lane < size) sums[r][p] += w * tile[j][p * kWarp + lane];
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRowsPerWarp; ++r) {
    const int32_t query = begin + warp * kRowsPerWarp + r;
    if (query >= head.length) continue;
    float* to = dqkv + (head.first + query) * head.ld + head.index * sizes.head_size;
#pragma unroll
    for (int p = 0; p < kLaneParts; ++p) {
      if (p * kWarp + lane < size) to[p * kWarp + lane] = sums[r][p];
    }
  }
}

/// A block has the gradients of kTileRows keys and values; a lane has a query.
template <bool kDropout>
__global__ void __launch_bounds__(kWarps* kWarp)
    key_gradient_kernel(const float* qkv, RowsOnDevice rows, AttentionSizes sizes, AttentionKept<float> saved,
                        float* dqkv) {
  const AttentionHead<float> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTileRows;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  __shared__ float keys[kTileRows][129], values[kTileRows][129], tile[kTile][129];
  const int64_t hidden = sizes.heads * sizes.head_size;
  const float* dcontext = saved.dcontext + head.first * hidden + head.index * sizes.head_size;
  load_tile<kTileRows>(head.key, head.ld, begin, head.length, size, keys);
  load_tile<kTileRows>(head.value, head.ld, begin, head.length, size, values);
  const int64_t base = head.index * rows.rows + head.first;
  float of_key[kRowsPerWarp][kLaneParts] = {}, of_value[kRowsPerWarp][kLaneParts] = {};
  for (int32_t first = 0; first < head.length; first += kTile) {
    const int32_t query = first + lane;
    const bool is_there = query < head.length;
    float weight[kRowsPerWarp], factor[kRowsPerWarp], by_weight[kRowsPerWarp];
    __syncthreads();
    load_tile<kTile>(dcontext, hidden, first, head.length, size, tile);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kRowsPerWarp; ++r) {
      by_weight[r] = dot(values[warp * kRowsPerWarp + r], tile[lane], size);
      const int32_t key = begin + warp * kRowsPerWarp + r;
      // The query from memory: the tile has its gradient now.
      const float score =
          is_there ? dot(keys[warp * kRowsPerWarp + r], head.query + query * head.ld, size) * head.scale : 0;
      weight[r] = is_there && key < head.length ? expf(score - saved.log_sums[base + query]) : 0.0f;
      factor[r] = is_there ? kept<kDropout>(sizes, head.mask_key<kDropout>(sizes, query), key) : 0.0f;
      const float masked = weight[r] * factor[r];
      for (int j = 0; j < kTile; ++j) {
        const float w = __shfl_sync(kAllLanes, masked, j);
#pragma unroll
        for (int p = 0; p < kLaneParts; ++p) {
          if (p * kWarp + lane < size) of_value[r][p] += w * tile[j][p * kWarp + lane];
        }
      }
    }
    __syncthreads();
    load_tile<kTile>(head.query, head.ld, first, head.length, size, tile);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kRowsPerWarp; ++r) {
      const float along = is_there ? saved.along[base + query] : 0.0f;
      const float by_score = weight[r] * (by_weight[r] * factor[r] - along) * head.scale;
      for (int j = 0; j < kTile; ++j) {
        const float w = __shfl_sync(kAllLanes, by_score, j);
#pragma unroll
        for (int p = 0; p < kLaneParts; ++p) {
          if (p * kWarp + lane < size) of_key[r][p] += w * tile[j][p * kWarp + lane];
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRowsPerWarp; ++r) {
    const int32_t key = begin + warp * kRowsPerWarp + r;
    if (key >= head.length) continue;
    float* to = dqkv + (head.first + key) * head.ld + hidden + head.index * sizes.head_size;
#pragma unroll
    for (int p = 0; p < kLaneParts; ++p) {
      if (p * kWarp + lane >= size) continue;
      to[p * kWarp + lane] = of_key[r][p];
      to[hidden + p * kWarp + lane] = of_value[r][p];
    }
  }
}

dim3 grid_of(const RowsOnDevice& rows, const AttentionSizes& sizes) {
  return dim3(blocks_for(rows.longest, kTileRows), static_cast<unsigned>(sizes.heads),
              static_cast<unsigned>(rows.sequences));
}

}  // namespace

template <>
void attention(const float* qkv, const RowsOnDevice& rows, const AttentionSizes& sizes, float* context,
               float* log_sums, cudaStream_t stream) {
  for_dropout(sizes.mask, [&]<bool kDropout>() {
    launch(attention_kernel<kDropout>, grid_of(rows, sizes), kWarps * kWarp, stream, qkv, rows, sizes,
           context, log_sums);
  });
}

template <>
void attention_gradient(const float* dcontext, const float* qkv, const float* context, const float* log_sums,
                        const RowsOnDevice& rows, const AttentionSizes& sizes, float* along, float* dqkv,
                        cudaStream_t stream) {
  launch(along_kernel, blocks_for(rows.rows * sizes.heads, kThreads), kThreads, stream, dcontext, context,
         rows.rows, sizes.heads, sizes.head_size, along);
  const AttentionKept<float> saved{dcontext, log_sums, along};
  for_dropout(sizes.mask, [&]<bool kDropout>() {
    launch(query_gradient_kernel<kDropout>, grid_of(rows, sizes), kWarps * kWarp, stream, qkv, rows, sizes,
           saved, dqkv);
    launch(key_gradient_kernel<kDropout>, grid_of(rows, sizes), kWarps * kWarp, stream, qkv, rows, sizes,
           saved, dqkv);
  });
}

}  // namespace expctl::cuda
