// Attention in bf16 and fp16 on tensor cores, as FlashAttention-2 has it (Dao 2023): a warp has 16 rows of a
// tile of scores in registers, and what it makes of them is the left side of the next product as it stands.
//
// Sequences of a question-answering model are short, so tiles are small: 64 rows. The gradient of queries and
// that of keys and values are computed by a kernel each, scores twice, instead of by one that adds to shared
// sums in whatever order: the result is the same each time.
#include <type_traits>

#include "trainer/kernels/attention.cuh"

namespace expctl::cuda {
namespace {

constexpr int kTile = 64;  ///< rows of either side that a block has at once
constexpr int kWarps = 4;  ///< of 16 rows each
constexpr int kBlock = kWarps * kWarp;
constexpr int kHalf = kTile / 2;  ///< of the other side at once in the backward pass, to fit the registers
constexpr float kLog2E = 1.4426950408889634f;

/// The left side of a product: 16 x 16.
using Left = uint32_t[4];
/// Sums: 16 x 8. A lane has, of rows lane / 4 and lane / 4 + 8, columns 2 (lane % 4) and the next.
using Sums = float[4];

/// sums += left right, of 16 x 16 and 16 x 8.
template <typename T>
__device__ inline void multiply_add(Sums& c, const Left& a, uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

/// Four 8 x 8 matrices; each lane gives the address of one of their rows.
__device__ inline void load_matrices(uint32_t (&r)[4], const void* row) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
}
__device__ inline void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
}

/// 16 bytes on their way to shared memory; zeros where they are not there.
__device__ inline void copy_async(void* to, const void* from, bool is_there) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from),
               "r"(is_there ? 16 : 0));
}
__device__ inline void end_of_copies() {
  asm volatile("cp.async.commit_group;");
}
/// Until at most `kPending` of the last groups of copies are on their way.
template <int kPending>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending));
}

/// Rows of a head in shared memory; the distance of rows keeps eight of them in different banks.
template <typename T, int kSize>
struct alignas(16) Tile {
  T rows[kTile][kSize + 8];

  /// Begins to copy rows from `from` on of a matrix `ld` wide, `size` columns; what is not there is zero.
  __device__ void load(const T* matrix, int64_t ld, int32_t from, int32_t length, int size) {
    constexpr int kChunks = kSize / 8;  // of 16 bytes
#pragma unroll
    for (int i = 0; i < kTile * kChunks / kBlock; ++i) {
      const int place = i * kBlock + static_cast<int>(threadIdx.x);
      const int r = place / kChunks, c = place % kChunks * 8;
      const bool is_there = from + r < length && c < size;
      copy_async(&rows[r][c], matrix + (is_there ? (from + r) * ld + c : 0), is_there);
    }
  }

  /// The 16 x 16 block from (row, column) on as a left side.
  __device__ void left(Left& to, int row, int column) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    load_matrices(to, &rows[row + lane % 16][column + lane / 16 * 8]);
  }

  /// Right sides of the product with this tile transposed: of its rows `row` to row + 15 (two times 8 columns
  /// of the result), columns `column` to column + 15 (which are summed over).
  __device__ void right_transposed(uint32_t (&to)[4], int row, int column) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    load_matrices(to, &rows[row + lane / 16 * 8 + lane % 8][column + lane / 8 % 2 * 8]);
  }

  /// Right sides of the product with this tile: of its rows `row` to row + 15 (which are summed over),
  /// columns `column` to column + 15 (two times 8).
  __device__ void right(uint32_t (&to)[4], int row, int column) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    load_matrices_transposed(to, &rows[row + lane % 16][column + lane / 16 * 8]);
  }
};

/// Two tiles, and the two that come after them, which are loaded meanwhile where there is room.
template <typename T, int kSize>
struct TilePairs {
  static constexpr int kCount = kSize > 64 ? 1 : 2;
  Tile<T, kSize> first[kCount], second[kCount];
};

/// body(first tile, second tile, row, stage) for each kTile rows of two matrices of a head; `extra` (row,
/// stage) loads what goes with them. Both tiles are free when it begins.
template <typename T, int kSize, typename Extra, typename Body>
__device__ inline void for_tiles(TilePairs<T, kSize>& tiles, const T* first, int64_t first_ld,
                                 const T* second, int64_t second_ld, int32_t length, int size,
                                 const Extra& extra, const Body& body) {
  constexpr int kCount = TilePairs<T, kSize>::kCount;
  const auto load = [&](int32_t row, int stage) {
    tiles.first[stage].load(first, first_ld, row, length, size);
    tiles.second[stage].load(second, second_ld, row, length, size);
    end_of_copies();
    extra(row, stage);
  };
  if (kCount == 2) load(0, 0);
  int stage = 0;
  for (int32_t row = 0; row < length; row += kTile) {
    if (kCount == 1) {
      load(row, 0);
      wait_for_copies<0>();
    } else if (row + kTile < length) {
      load(row + kTile, 1 - stage);
      wait_for_copies<1>();
    } else {
      wait_for_copies<0>();
    }
    __syncthreads();
    body(tiles.first[stage], tiles.second[stage], row, stage);
    __syncthreads();
    if (kCount == 2) stage = 1 - stage;
  }
}

template <typename T>
__device__ inline uint32_t pair_of(float low, float high) {
  if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return reinterpret_cast<const uint32_t&>(pair);
  } else {
    const __half2 pair = __floats2half2_rn(low, high);
    return reinterpret_cast<const uint32_t&>(pair);
  }
}

/// Sums of 16 x 16, rounded, as a left side.
template <typename T>
__device__ inline void as_left(Left& to, const Sums& first, const Sums& second) {
  to[0] = pair_of<T>(first[0], first[1]);
  to[1] = pair_of<T>(first[2], first[3]);
  to[2] = pair_of<T>(second[0], second[1]);
  to[3] = pair_of<T>(second[2], second[3]);
}

/// The left sides of a warp's 16 rows of a tile.
template <typename T, int kSize>
__device__ inline void load_left(Left (&to)[kSize / 16], const Tile<T, kSize>& tile) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
#pragma unroll
  for (int k = 0; k < kSize / 16; ++k) tile.left(to[k], warp * 16, k * 16);
}

/// sums [16, 8 kColumns] = left times the transposed rows from `row` on of a tile.
template <typename T, int kSize, int kColumns>
__device__ inline void times_transposed(Sums (&sums)[kColumns], const Left (&left)[kSize / 16],
                                        const Tile<T, kSize>& tile, int row) {
#pragma unroll
  for (int j = 0; j < kColumns; ++j) sums[j][0] = sums[j][1] = sums[j][2] = sums[j][3] = 0;
#pragma unroll
  for (int k = 0; k < kSize / 16; ++k) {
#pragma unroll
    for (int j = 0; j < kColumns; j += 2) {
      uint32_t right[4];
      tile.right_transposed(right, row + j * 8, k * 16);
      multiply_add<T>(sums[j], left[k], right[0], right[1]);
      multiply_add<T>(sums[j + 1], left[k], right[2], right[3]);
    }
  }
}

/// sums [16, kSize] += weights [16, 8 kColumns] times the rows from `row` on of a tile.
template <typename T, int kSize, int kColumns>
__device__ inline void add_product(Sums (&sums)[kSize / 8], const Sums (&weights)[kColumns],
                                   const Tile<T, kSize>& tile, int row) {
#pragma unroll
  for (int k = 0; k < kColumns / 2; ++k) {
    Left left;
    as_left<T>(left, weights[2 * k], weights[2 * k + 1]);
#pragma unroll
    for (int j = 0; j < kSize / 8; j += 2) {
      uint32_t right[4];
      tile.right(right, row + k * 16, j * 8);
      multiply_add<T>(sums[j], left, right[0], right[1]);
      multiply_add<T>(sums[j + 1], left, right[2], right[3]);
    }
  }
}

/// A warp's 16 rows, times `factors` of the two rows of a lane, to rows `ld` apart of which the first is the
/// warp's.
template <typename T, int kSize>
__device__ inline void store_rows(const Sums (&sums)[kSize / 8], const float (&factors)[2], int32_t rows_left,
                                  int size, T* to, int64_t ld) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int row = lane / 4 + r * 8;
    if (row >= rows_left) continue;
#pragma unroll
    for (int j = 0; j < kSize / 8; ++j) {
      const int c = j * 8 + lane % 4 * 2;
      if (c < size)
        *reinterpret_cast<uint32_t*>(to + row * ld + c) =
            pair_of<T>(sums[j][2 * r] * factors[r], sums[j][2 * r + 1] * factors[r]);
    }
  }
}

/// The column of element `e` of a lane's sums `j`.
__device__ inline int column_in(int j, int e) {
  return j * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + e % 2;
}

__device__ inline float quad_sum(float v) {
  v += __shfl_xor_sync(kAllLanes, v, 1);
  return v + __shfl_xor_sync(kAllLanes, v, 2);
}
__device__ inline float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, 1));
  return fmaxf(v, __shfl_xor_sync(kAllLanes, v, 2));
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
    if (first + kTile > head.length) {
#pragma unroll
      for (int j = 0; j < kTile / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e)
          weights[j][e] = first + column_in(j, e) < head.length ? weights[j][e] : -INFINITY;
      }
    }
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
          const float weight = fast_exp2(fmaf(weights[j][e], to_power, -at_largest));
          total[r] += weight;  // of a lane's columns
          weights[j][e] = weight * kept<kDropout>(sizes, mask_keys[r], first + column_in(j, e));
        }
      }
    }
    add_product<T, kSize, kTile / 8>(sums, weights, values, 0);
  };
  for_tiles<T, kSize>(
      tiles, head.key, head.ld, head.value, head.ld, head.length, size, [](int32_t, int) {}, add_tile);
  const float totals[2] = {quad_sum(total[0]), quad_sum(total[1])};
  const float factors[2] = {1 / totals[0], 1 / totals[1]};
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

/// A block has the gradients of kTile queries.
template <typename T, int kSize, bool kDropout>
__global__ void __launch_bounds__(kBlock, kSize > 64 ? 1 : 4)
    tensor_query_gradient_kernel(const T* qkv, RowsOnDevice rows, AttentionSizes sizes,
                                 AttentionKept<T> saved, T* dqkv) {
  const AttentionHead<T> head(qkv, rows, sizes);
  const auto begin = static_cast<int32_t>(blockIdx.x) * kTile;
  if (begin >= head.length) return;
  const int size = static_cast<int>(sizes.head_size), lane = static_cast<int>(threadIdx.x) % kWarp;
  const int32_t warp_row = begin + static_cast<int>(threadIdx.x) / kWarp * 16;
  const int64_t hidden = sizes.heads * sizes.head_size;
  __shared__ TilePairs<T, kSize> tiles;
  Left queries[kSize / 16], gradients[kSize / 16];
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
  uint64_t mask_keys[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int32_t row = warp_row + lane / 4 + r * 8;
    mask_keys[r] = head.template mask_key<kDropout>(sizes, row);
    if (row >= head.length) continue;
    log_sum[r] = saved.log_sums[head.index * rows.rows + head.first + row] * kLog2E;
    along[r] = saved.along[head.index * rows.rows + head.first + row];
  }
  Sums sums[kSize / 8] = {};
  const auto add_tile = [&](const Tile<T, kSize>& keys, const Tile<T, kSize>& values, int32_t first, int) {
#pragma unroll 1
    for (int half = 0; half < kTile; half += kHalf) {
      if (first + half >= head.length) break;
      Sums scores[kHalf / 8], by_weight[kHalf / 8];
      times_transposed<T, kSize, kHalf / 8>(scores, queries, keys, half);
      times_transposed<T, kSize, kHalf / 8>(by_weight, gradients, values, half);
#pragma unroll
      for (int j = 0; j < kHalf / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int r = e / 2;
          const int32_t key = first + half + column_in(j, e);
          const float there = fast_exp2(fmaf(scores[j][e], to_power, -log_sum[r]));
          const float weight = key < head.length ? there : 0.0f;
          const float factor = kept<kDropout>(sizes, mask_keys[r], key);
          scores[j][e] = weight * (by_weight[j][e] * factor - along[r]) * head.scale;
        }
      }
      add_product<T, kSize, kHalf / 8>(sums, scores, keys, half);
    }
  };
  for_tiles<T, kSize>(
      tiles, head.key, head.ld, head.value, head.ld, head.length, size, [](int32_t, int) {}, add_tile);
  store_rows<T, kSize>(sums, {1, 1}, head.length - warp_row, size,
                       dqkv + (head.first + warp_row) * head.ld + head.index * sizes.head_size, head.ld);
}

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
  /// Of the queries of a stage.
  __shared__ float log_sums[2][kTile], alongs[2][kTile];
  __shared__ uint64_t mask_keys[2][kTile];
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
    log_sums[stage][i] = is_there ? saved.log_sums[place] * kLog2E : INFINITY;  // no weight where no query is
    alongs[stage][i] = is_there ? saved.along[place] : 0.0f;
    mask_keys[stage][i] = head.template mask_key<kDropout>(sizes, first + i);
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
        for (int e = 0; e < 4; ++e) {
          const int column = half + column_in(j, e);
          const float weight = fast_exp2(fmaf(weights[j][e], to_power, -log_sums[stage][column]));
          const float factor =
              kept<kDropout>(sizes, mask_keys[stage][column], warp_row + lane / 4 + e / 2 * 8);
          weights[j][e] = weight * factor;
          by_score[j][e] = weight * (by_score[j][e] * factor - alongs[stage][column]) * head.scale;
        }
      }
      add_product<T, kSize, kHalf / 8>(of_value, weights, gradients, half);
      add_product<T, kSize, kHalf / 8>(of_key, by_score, queries, half);
    }
  };
  for_tiles<T, kSize>(tiles, head.query, head.ld, dcontext, hidden, head.length, size, load_numbers,
                      add_tile);
  T* to = dqkv + (head.first + warp_row) * head.ld + hidden + head.index * sizes.head_size;
  store_rows<T, kSize>(of_key, {1, 1}, head.length - warp_row, size, to, head.ld);
  store_rows<T, kSize>(of_value, {1, 1}, head.length - warp_row, size, to + hidden, head.ld);
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
    tensor_attention_kernel<T, kSize, kDropout>
        <<<grid_of(rows, sizes), kBlock, 0, stream>>>(qkv, rows, sizes, context, log_sums);
  });
  check_launch();
}

template <typename T>
void attention_gradient(const T* dcontext, const T* qkv, const T* context, const float* log_sums,
                        const RowsOnDevice& rows, const AttentionSizes& sizes, float* along, T* dqkv,
                        cudaStream_t stream) {
  along_kernel<<<blocks_for(rows.rows * sizes.heads, kThreads), kThreads, 0, stream>>>(
      dcontext, context, rows.rows, sizes.heads, sizes.head_size, along);
  const AttentionKept<T> saved{dcontext, log_sums, along};
  for_sizes(sizes, [&]<int kSize, bool kDropout>() {
    tensor_key_gradient_kernel<T, kSize, kDropout>
        <<<grid_of(rows, sizes), kBlock, 0, stream>>>(qkv, rows, sizes, saved, dqkv);
    tensor_query_gradient_kernel<T, kSize, kDropout>
        <<<grid_of(rows, sizes), kBlock, 0, stream>>>(qkv, rows, sizes, saved, dqkv);
  });
  check_launch();
}

#define EXPCTL_ATTENTION_OF(T)                                                                             \
  template void attention(const T*, const RowsOnDevice&, const AttentionSizes&, T*, float*, cudaStream_t); \
  template void attention_gradient(const T*, const T*, const T*, const float*, const RowsOnDevice&,        \
                                   const AttentionSizes&, float*, T*, cudaStream_t);
EXPCTL_ATTENTION_OF(__nv_bfloat16)
EXPCTL_ATTENTION_OF(__half)
#undef EXPCTL_ATTENTION_OF

}  // namespace expctl::cuda
