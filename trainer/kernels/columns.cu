// What is done element by element over wide rows, with sums over the rows where a bias has a gradient.
#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {
namespace {

constexpr int kColumnThreads = 128;
constexpr int64_t kColumnsPerBlock = kColumnThreads * 4;

/// The normal distribution's cumulated and plain density at x.
struct Normal {
  float below, density;
};
__device__ inline Normal normal(float x) {
  return {0.5f * (1.0f + erff(x * 0.70710678118654752f)), 0.39894228040143268f * __expf(-0.5f * x * x)};
}
__device__ inline float gelu(float x) {
  return x * normal(x).below;
}
__device__ inline float gelu_slope(float x) {
  const Normal n = normal(x);
  return n.below + x * n.density;
}

template <typename T>
__global__ void bias_gelu_kernel(const T* x, const float* bias, int64_t count, int64_t width, T* out) {
  const int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4;
  if (i >= count) return;
  const float4 v = add(load4(x + i), load4(bias + i % width));
  store4(out + i, {gelu(v.x), gelu(v.y), gelu(v.z), gelu(v.w)});
}

template <typename T>
__global__ void bias_gelu_gradient_kernel(T* gradient, const T* x, const float* bias, int64_t rows,
                                          int64_t width, float* partial) {
  const int64_t c = (blockIdx.x * int64_t{kColumnThreads} + threadIdx.x) * 4;
  if (c >= width) return;
  const float4 b = load4(bias + c);
  float4 total = {0, 0, 0, 0};
#pragma unroll 4
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const float4 v = add(load4(x + row * width + c), b);
    const float4 slope = {gelu_slope(v.x), gelu_slope(v.y), gelu_slope(v.z), gelu_slope(v.w)};
    const float4 g = rounded4<T>(multiply(load4(gradient + row * width + c), slope));
    store4(gradient + row * width + c, g);
    total = add(total, g);
  }
  store4(partial + blockIdx.y * width + c, total);
}

template <typename T>
__global__ void join_three_kernel(const T* first, const T* second, const T* third, int64_t rows,
                                  int64_t width, T* out, float* partial) {
  const int64_t c = (blockIdx.x * int64_t{kColumnThreads} + threadIdx.x) * 4;
  if (c >= width) return;
  const int64_t part = blockIdx.z;
  const T* from = part == 0 ? first : part == 1 ? second : third;
  float4 total = {0, 0, 0, 0};
#pragma unroll 4
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const float4 v = load4(from + row * width + c);
    store4(out + (row * 3 + part) * width + c, v);
    total = add(total, v);
  }
  store4(partial + (blockIdx.y * int64_t{3} + part) * width + c, total);
}

template <typename T>
__global__ void column_sums_kernel(const T* x, int64_t rows, int64_t width, float* partial) {
  const int64_t c = (blockIdx.x * int64_t{kColumnThreads} + threadIdx.x) * 4;
  if (c >= width) return;
  float4 total = {0, 0, 0, 0};
#pragma unroll 4
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) total = add(total, load4(x + row * width + c));
  store4(partial + blockIdx.y * width + c, total);
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
#pragma unroll 4
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

}  // namespace

int32_t column_parts(int64_t width) {
  constexpr int32_t kBlocks = 4 * kMostParts;  // enough to fill a GPU
  return std::min(kMostParts, kBlocks / static_cast<int32_t>(blocks_for(width, kColumnsPerBlock)));
}

void sum_partials(const PartialSums* sums, int count, bool add, cudaStream_t stream) {
  PartialSumsList list;
  int32_t widest = 0;
  for (int i = 0; i < count; ++i) {
    list.of[i] = sums[i];
    widest = std::max(widest, sums[i].count);
  }
  sum_partials_kernel<<<dim3(blocks_for(widest, kWarp), static_cast<unsigned>(count)), kThreads, 0, stream>>>(
      list, add);
  check_launch();
}

template <typename T>
void bias_gelu(const T* x, const float* bias, int64_t rows, int64_t width, T* out, cudaStream_t stream) {
  bias_gelu_kernel<<<blocks_for(rows * width, kThreads * 4), kThreads, 0, stream>>>(x, bias, rows * width,
                                                                                    width, out);
  check_launch();
}

template <typename T>
void bias_gelu_gradient(T* gradient, const T* x, const float* bias, int64_t rows, int64_t width,
                        float* partial, cudaStream_t stream) {
  const dim3 grid(blocks_for(width, kColumnsPerBlock), static_cast<unsigned>(column_parts(width)));
  bias_gelu_gradient_kernel<<<grid, kColumnThreads, 0, stream>>>(gradient, x, bias, rows, width, partial);
  check_launch();
}

template <typename T>
void column_sums(const T* x, int64_t rows, int64_t width, float* partial, cudaStream_t stream) {
  const dim3 grid(blocks_for(width, kColumnsPerBlock), static_cast<unsigned>(column_parts(width)));
  column_sums_kernel<<<grid, kColumnThreads, 0, stream>>>(x, rows, width, partial);
  check_launch();
}

template <typename T>
void join_three(const T* first, const T* second, const T* third, int64_t rows, int64_t width, T* out,
                float* partial, cudaStream_t stream) {
  const dim3 grid(blocks_for(width, kColumnsPerBlock), static_cast<unsigned>(column_parts(width)), 3);
  join_three_kernel<<<grid, kColumnThreads, 0, stream>>>(first, second, third, rows, width, out, partial);
  check_launch();
}

#define EXPCTL_COLUMNS_OF(T)                                                                            \
  template void bias_gelu(const T*, const float*, int64_t, int64_t, T*, cudaStream_t);                  \
  template void bias_gelu_gradient(T*, const T*, const float*, int64_t, int64_t, float*, cudaStream_t); \
  template void column_sums(const T*, int64_t, int64_t, float*, cudaStream_t);                          \
  template void join_three(const T*, const T*, const T*, int64_t, int64_t, T*, float*, cudaStream_t);
EXPCTL_COLUMNS_OF(float)
EXPCTL_COLUMNS_OF(__nv_bfloat16)
EXPCTL_COLUMNS_OF(__half)
#undef EXPCTL_COLUMNS_OF

}  // namespace expctl::cuda
