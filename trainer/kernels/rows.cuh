// What the kernels share: loads and stores of four elements, sums over a warp and a block.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "trainer/kernels/cuda_kernels.h"
#include "trainer/kernels/instructions.cuh"
#include "trainer/kernels/launch.cuh"

namespace expctl::cuda {

inline constexpr int kWarp = 32;
inline constexpr int kWarpsPerBlock = 8;
inline constexpr int kThreads = kWarp * kWarpsPerBlock;
inline constexpr unsigned kAllLanes = 0xffffffffu;

inline unsigned blocks_for(int64_t count, int64_t of_each) {
  return static_cast<unsigned>((count + of_each - 1) / of_each);
}

__device__ inline float4 load4(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}
__device__ inline float4 load4(const __nv_bfloat16* from) {
  const uint2 raw = *reinterpret_cast<const uint2*>(from);
  const float2 low = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162&>(raw.x));
  const float2 high = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162&>(raw.y));
  return {low.x, low.y, high.x, high.y};
}
__device__ inline float4 load4(const __half* from) {
  const uint2 raw = *reinterpret_cast<const uint2*>(from);
  const float2 low = __half22float2(reinterpret_cast<const __half2&>(raw.x));
  const float2 high = __half22float2(reinterpret_cast<const __half2&>(raw.y));
  return {low.x, low.y, high.x, high.y};
}

__device__ inline void store4(float* to, float4 v) {
  *reinterpret_cast<float4*>(to) = v;
}
__device__ inline void store4(__nv_bfloat16* to, float4 v) {
  __nv_bfloat162 parts[2] = {__floats2bfloat162_rn(v.x, v.y), __floats2bfloat162_rn(v.z, v.w)};
  *reinterpret_cast<uint2*>(to) = *reinterpret_cast<const uint2*>(parts);
}
__device__ inline void store4(__half* to, float4 v) {
  __half2 parts[2] = {__floats2half2_rn(v.x, v.y), __floats2half2_rn(v.z, v.w)};
  *reinterpret_cast<uint2*>(to) = *reinterpret_cast<const uint2*>(parts);
}

/// v as it comes back after it was stored in T.
template <typename T>
__device__ inline float4 rounded4(float4 v) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return v;
  } else {
    alignas(8) T space[4];
    store4(space, v);
    return load4(space);
  }
}

__device__ inline float4 add(float4 a, float4 b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
}
__device__ inline float4 multiply(float4 a, float4 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w};
}
__device__ inline float sum(float4 a) {
  return (a.x + a.y) + (a.z + a.w);
}

/// What four elements from `element` on are multiplied by.
__device__ inline float4 mask4(uint64_t key, Mask mask, uint32_t element) {
  return {mask_factor(key, mask, element), mask_factor(key, mask, element + 1),
          mask_factor(key, mask, element + 2), mask_factor(key, mask, element + 3)};
}

/// The key of a row's masks.
template <bool kDropout>
__device__ inline uint64_t row_key(const RowsOnDevice& rows, const DropoutSite& dropout, int64_t row) {
  if (!kDropout) return 0;
  return mask_row_key(rows.sequence_keys[rows.sequence_of[row]], dropout.site, rows.positions[row]);
}

/// In every lane.
__device__ inline float warp_sum(float v) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) v += __shfl_xor_sync(kAllLanes, v, offset);
  return v;
}
__device__ inline float warp_max(float v) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, offset));
  return v;
}

/// Of all threads of a block of `kThreads`, in every thread.
template <typename V>
__device__ inline V block_sum(V v) {
  __shared__ V of_warps[kWarpsPerBlock];
  for (int offset = kWarp / 2; offset > 0; offset /= 2) v += __shfl_xor_sync(kAllLanes, v, offset);
  __syncthreads();  // what an earlier sum has left may still be read
  if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = v;
  __syncthreads();
  V total = 0;
  for (int w = 0; w < kWarpsPerBlock; ++w) total += of_warps[w];
  return total;
}

/// How a warp holds a row: each lane has kVectors times four of its elements. `kFull` where that is all of it
/// and no lane need ask.
template <int kOfALane, bool kFull>
struct RowShape {
  static constexpr int kVectors = kOfALane;
  static __device__ bool has(int64_t column, int64_t width) { return kFull || column < width; }
};

/// f.template operator()<a RowShape>() for rows of `width`.
template <typename F>
void for_row_shape(int64_t width, const F& f) {
  constexpr int64_t kOfAWarp = 4 * kWarp;
  if (width == 3 * kOfAWarp) return f.template operator()<RowShape<3, true>>();
  if (width == 6 * kOfAWarp) return f.template operator()<RowShape<6, true>>();
  if (width == 8 * kOfAWarp) return f.template operator()<RowShape<8, true>>();
  if (width <= kOfAWarp) return f.template operator()<RowShape<1, false>>();
  if (width <= kMostHidden) return f.template operator()<RowShape<8, false>>();
  throw Error("hidden states of more than 1024 are not computed on a GPU");
}

/// f.template operator()<whether there is dropout>()
template <typename F>
void for_dropout(const Mask& mask, const F& f) {
  return mask.threshold == 0 ? f.template operator()<false>() : f.template operator()<true>();
}

/// The first element of a lane's vector `v`.
__device__ inline int64_t column_of(int v) {
  return (static_cast<int64_t>(v) * kWarp + threadIdx.x % kWarp) * 4;
}

/// A block's sums of `kRows` rows of columns held as its warps' lanes have them, to `to` [kRows, width].
template <int kRows, int kVectors>
__device__ inline void sum_over_warps(const float4 (&sums)[kRows][kVectors], int64_t width, float* to) {
  __shared__ float4 space[kWarpsPerBlock][kWarp * kVectors];
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    __syncthreads();
#pragma unroll
    for (int v = 0; v < kVectors; ++v) space[warp][v * kWarp + lane] = sums[r][v];
    __syncthreads();
    for (int64_t c = threadIdx.x; c < width; c += kThreads) {
      float total = 0;
#pragma unroll
      for (int w = 0; w < kWarpsPerBlock; ++w) total += reinterpret_cast<const float*>(space[w])[c];
      to[r * width + c] = total;
    }
  }
}

}  // namespace expctl::cuda
