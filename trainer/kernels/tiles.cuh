// Products of 16 x 16 and 16 x 8 numbers on tensor cores, and tiles of a head's rows in shared memory that
// they are made of.
#pragma once

#include <type_traits>

#include "trainer/kernels/attention.cuh"

namespace expctl::cuda {

inline constexpr int kTile = 64;  ///< rows of either side that a block has at once
inline constexpr int kWarps = 4;  ///< of 16 rows each
inline constexpr int kBlock = kWarps * kWarp;
inline constexpr int kHalf =
    kTile / 2;  ///< of the other side at once in the backward pass, to fit the registers
inline constexpr float kLog2E = 1.4426950408889634f;

/// The left side of a product: 16 x 16 (multiply_add()).
using Left = uint32_t[4];
/// Sums: 16 x 8. A lane has, of rows lane / 4 and lane / 4 + 8, columns 2 (lane % 4) and the next.
using Sums = float[4];

/// Of the four lanes that have a row.
__device__ inline float quad_sum(float v) {
  v += __shfl_xor_sync(kAllLanes, v, 1);
  return v + __shfl_xor_sync(kAllLanes, v, 2);
}
__device__ inline float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, 1));
  return fmaxf(v, __shfl_xor_sync(kAllLanes, v, 2));
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

template <typename T>
__device__ inline float2 floats_of(uint32_t pair) {
  if constexpr (std::is_same_v<T, __nv_bfloat16>)
    return __bfloat1622float2(reinterpret_cast<const __nv_bfloat162&>(pair));
  else
    return __half22float2(reinterpret_cast<const __half2&>(pair));
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

/// Likewise of a matrix in memory, rows `ld` apart, of which the first is the warp's; zeros where it has no
/// more.
template <typename T, int kSize>
__device__ inline void load_left(Left (&to)[kSize / 16], const T* matrix, int64_t ld, int32_t rows_left,
                                 int size) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int k = 0; k < kSize / 16; ++k) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i % 2 * 8, c = k * 16 + i / 2 * 8 + lane % 4 * 2;
      to[k][i] = row < rows_left && c < size ? *reinterpret_cast<const uint32_t*>(matrix + row * ld + c) : 0;
    }
  }
}

/// The product of each of a lane's two rows with that of another left side.
template <typename T, int kSize>
__device__ inline void products_of_rows(float (&products)[2], const Left (&a)[kSize / 16],
                                        const Left (&b)[kSize / 16]) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float total = 0;
#pragma unroll
    for (int k = 0; k < kSize / 16; ++k) {
#pragma unroll
      for (int i = r; i < 4; i += 2) {
        const float2 x = floats_of<T>(a[k][i]), y = floats_of<T>(b[k][i]);
        total += x.x * y.x + x.y * y.y;
      }
    }
    products[r] = quad_sum(total);
  }
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

}  // namespace expctl::cuda
