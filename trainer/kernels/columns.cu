// What is done element by element over wide rows, with sums over the rows where a bias has a gradient. A
// thread has eight columns and goes down the rows, several at a time so that as many loads are on their way.
#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {
namespace {

constexpr int kColumnThreads = 128;
constexpr int64_t kColumnsPerBlock = kColumnThreads * 8;
constexpr int kRowsAtOnce = 4;
constexpr int kGradientRowsAtOnce = 2;             ///< of two matrices
constexpr int32_t kColumnBlocks = 4 * kMostParts;  ///< enough to fill a GPU

struct Eight {
  float4 low, high;
};

__device__ inline Eight load8(const float* from) {
  return {load4(from), load4(from + 4)};
}
template <typename T>
__device__ inline Eight load8(const T* from) {
  const uint4 raw = *reinterpret_cast<const uint4*>(from);
  const T* halves = reinterpret_cast<const T*>(&raw);
  return {load4(halves), load4(halves + 4)};
}
__device__ inline void store8(float* to, const Eight& v) {
  store4(to, v.low);
  store4(to + 4, v.high);
}
template <typename T>
__device__ inline void store8(T* to, const Eight& v) {
  uint4 raw;
  T* halves = reinterpret_cast<T*>(&raw);
  store4(halves, v.low);
  store4(halves + 4, v.high);
  *reinterpret_cast<uint4*>(to) = raw;
}
__device__ inline Eight add8(const Eight& a, const Eight& b) {
  return {add(a.low, b.low), add(a.high, b.high)};
}

/// The normal distribution's cumulated and plain density at x: Abramowitz and Stegun 7.1.26, to 1.5e-7, as on
/// the CPU.
struct Normal {
  float below, density;
};
__device__ inline Normal normal(float x) {
  const float t = fast_reciprocal(fmaf(fabsf(x), 0.3275911f * 0.70710678f, 1.0f));
  const float e = fast_exp2(x * x * -0.72134752f);  // e^(-x^2 / 2)
  float p = fmaf(t, 0.5f * 1.061405429f, 0.5f * -1.453152027f);
  p = fmaf(t, p, 0.5f * 1.421413741f);
  p = fmaf(t, p, 0.5f * -0.284496736f);
  p = fmaf(t, p, 0.5f * 0.254829592f);
  const float beyond = p * t * e;
  return {x < 0.0f ? beyond : 1.0f - beyond, 0.39894228f * e};
}

struct Gelu {
  __device__ float operator()(float x) const { return x * normal(x).below; }
};
struct GeluSlope {
  __device__ float operator()(float x) const {
    const Normal n = normal(x);
    return n.below + x * n.density;
  }
};

template <typename F>
__device__ inline float4 each(float4 v, const F& f) {
  return {f(v.x), f(v.y), f(v.z), f(v.w)};
}

/// body(first row, rows of it) for a thread's rows.
template <int kAtOnce, typename F>
__device__ inline void for_rows(int64_t rows, const F& body) {
  for (int64_t first = blockIdx.y; first < rows; first += int64_t{gridDim.y} * kAtOnce) body(first);
}

/// The row `i` of those from `first` on that are done at once.
__device__ inline int64_t row_of(int64_t first, int i) {
  return first + int64_t{i} * gridDim.y;
}

template <typename T>
__global__ void __launch_bounds__(kColumnThreads)
    bias_gelu_kernel(const T* __restrict__ x, const float* __restrict__ bias, int64_t rows, int64_t width,
                     T* __restrict__ out) {
  const int64_t c = (blockIdx.x * int64_t{kColumnThreads} + threadIdx.x) * 8;
  if (c >= width) return;
  const Eight b = load8(bias + c);
  for_rows<kRowsAtOnce>(rows, [&](int64_t first) {
    Eight v[kRowsAtOnce];
#pragma unroll
    for (int i = 0; i < kRowsAtOnce; ++i) {
      if (row_of(first, i) < rows) v[i] = load8(x + row_of(first, i) * width + c);
    }
#pragma unroll
    for (int i = 0; i < kRowsAtOnce; ++i) {
      if (row_of(first, i) >= rows) continue;
      const Eight sum = add8(v[i], b);
      store8(out + row_of(first, i) * width + c, {each(sum.low, Gelu()), each(sum.high, Gelu())});
    }
  });
}

template <typename T>
__global__ void __launch_bounds__(kColumnThreads)
    bias_gelu_gradient_kernel(T* gradient, const T* __restrict__ x, const float* __restrict__ bias,
                              int64_t rows, int64_t width, float* __restrict__ partial) {
  const int64_t c = (blockIdx.x * int64_t{kColumnThreads} + threadIdx.x) * 8;
  if (c >= width) return;
  const Eight b = load8(bias + c);
  Eight total = {};
  for_rows<kGradientRowsAtOnce>(rows, [&](int64_t first) {
    Eight v[kGradientRowsAtOnce], g[kGradientRowsAtOnce];
#pragma unroll
    for (int i = 0; i < kGradientRowsAtOnce; ++i) {
      if (row_of(first, i) >= rows) continue;
      v[i] = load8(x + row_of(first, i) * width + c);
      g[i] = load8(gradient + row_of(first, i) * width + c);
    }
#pragma unroll
    for (int i = 0; i < kGradientRowsAtOnce; ++i) {
      if (row_of(first, i) >= rows) continue;
      const Eight sum = add8(v[i], b);
      const Eight of_x = {rounded4<T>(multiply(g[i].low, each(sum.low, GeluSlope()))),
                          rounded4<T>(multiply(g[i].high, each(sum.high, GeluSlope())))};
      store8(gradient + row_of(first, i) * width + c, of_x);
      total = add8(total, of_x);
    }
  });
  store8(partial + blockIdx.y * width + c, total);
}

template <typename T>
__global__ void __launch_bounds__(kColumnThreads)
    column_sums_kernel(const T* __restrict__ x, int64_t rows, int64_t width, float* __restrict__ partial) {
  const int64_t c = (blockIdx.x * int64_t{kColumnThreads} + threadIdx.x) * 8;
  if (c >= width) return;
  Eight total = {};
  for_rows<kRowsAtOnce>(rows, [&](int64_t first) {
    Eight v[kRowsAtOnce];
#pragma unroll
    for (int i = 0; i < kRowsAtOnce; ++i)
      v[i] = row_of(first, i) < rows ? load8(x + row_of(first, i) * width + c) : Eight{};
#pragma unroll
    for (int i = 0; i < kRowsAtOnce; ++i) total = add8(total, v[i]);
  });
  store8(partial + blockIdx.y * width + c, total);
}

struct PartialSumsList {
  PartialSums of[kMostPartialSums];
};

/// A block has 32 columns; its 8 warps take every 8th part.
__global__ void sum_partials_kernel(PartialSumsList list, bool adds) {
  const PartialSums& sums = list.of[blockIdx.y];
  const int column = static_cast<int>(blockIdx.x) * kWarp + static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  if (static_cast<int>(blockIdx.x) * kWarp >= sums.count) return;
  float total = 0;
  if (column < sums.count) {
#pragma unroll 8
    for (int part = warp; part < sums.parts; part += kWarpsPerBlock)
      total += sums.partial[static_cast<int64_t>(part) * sums.pitch + column];
  }
  __shared__ float of_warps[kWarpsPerBlock][kWarp];
  of_warps[warp][threadIdx.x % kWarp] = total;
  __syncthreads();
  if (warp != 0 || column >= sums.count) return;
  total = 0;
  for (int w = 0; w < kWarpsPerBlock; ++w) total += of_warps[w][threadIdx.x];
  sums.to[column] = adds ? sums.to[column] + total : total;
}

dim3 column_grid(int64_t width, int64_t parts) {
  return dim3(blocks_for(width, kColumnsPerBlock), static_cast<unsigned>(parts));
}

}  // namespace

int32_t column_parts(int64_t width) {
  return std::min(kMostParts, kColumnBlocks / static_cast<int32_t>(blocks_for(width, kColumnsPerBlock)));
}

void sum_partials(const PartialSums* sums, int count, bool add, cudaStream_t stream) {
  if (count > kMostPartialSums) throw Error("CUDA: more sums at once than a launch takes");
  PartialSumsList list;
  int32_t widest = 0;
  for (int i = 0; i < count; ++i) {
    list.of[i] = sums[i];
    widest = std::max(widest, sums[i].count);
  }
  launch(sum_partials_kernel, dim3(blocks_for(widest, kWarp), static_cast<unsigned>(count)), kThreads, stream,
         list, add);
}

template <typename T>
void bias_gelu(const T* x, const float* bias, int64_t rows, int64_t width, T* out, cudaStream_t stream) {
  const int64_t parts = std::min<int64_t>(blocks_for(rows, kRowsAtOnce), 2 * kMostParts);
  launch(bias_gelu_kernel<T>, column_grid(width, parts), kColumnThreads, stream, x, bias, rows, width, out);
}

template <typename T>
void bias_gelu_gradient(T* gradient, const T* x, const float* bias, int64_t rows, int64_t width,
                        float* partial, cudaStream_t stream) {
  launch(bias_gelu_gradient_kernel<T>, column_grid(width, column_parts(width)), kColumnThreads, stream,
         gradient, x, bias, rows, width, partial);
}

template <typename T>
void column_sums(const T* x, int64_t rows, int64_t width, float* partial, cudaStream_t stream) {
  launch(column_sums_kernel<T>, column_grid(width, column_parts(width)), kColumnThreads, stream, x, rows,
         width, partial);
}

#define EXPCTL_COLUMNS_OF(T)                                                                            \
  template void bias_gelu(const T*, const float*, int64_t, int64_t, T*, cudaStream_t);                  \
  template void bias_gelu_gradient(T*, const T*, const float*, int64_t, int64_t, float*, cudaStream_t); \
  template void column_sums(const T*, int64_t, int64_t, float*, cudaStream_t);
EXPCTL_COLUMNS_OF(float)
EXPCTL_COLUMNS_OF(__nv_bfloat16)
EXPCTL_COLUMNS_OF(__half)
#undef EXPCTL_COLUMNS_OF

}  // namespace expctl::cuda
