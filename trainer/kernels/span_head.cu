// The span head, in fp32 whatever the hidden states are in.
#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {
namespace {

template <typename T, typename Shape>
__global__ void __launch_bounds__(kThreads)
    span_logits_kernel(const T* hidden, const float* weight, const float* bias, int64_t rows, int64_t width,
                       float* logits) {
  const int64_t row = blockIdx.x * int64_t{kWarpsPerBlock} + threadIdx.x / kWarp;
  if (row >= rows) return;
  float start = 0, end = 0;
  for (int v = 0; v < Shape::kVectors; ++v) {
    const int64_t c = column_of(v);
    if (!Shape::has(c, width)) continue;
    const float4 h = load4(hidden + row * width + c);
    start += sum(multiply(h, load4(weight + c)));
    end += sum(multiply(h, load4(weight + width + c)));
  }
  start = warp_sum(start);
  end = warp_sum(end);
  if (threadIdx.x % kWarp == 0) {
    logits[2 * row] = start + bias[0];
    logits[2 * row + 1] = end + bias[1];
  }
}

__device__ inline float4 scaled(float4 v, float by) {
  return {v.x * by, v.y * by, v.z * by, v.w * by};
}

template <typename T, typename Shape>
__global__ void __launch_bounds__(kThreads)
    span_logits_gradient_kernel(const float* dlogits, const T* hidden, const float* weight, int64_t rows,
                                int64_t width, T* dhidden, float* partial) {
  float4 sums[2][Shape::kVectors] = {};
  float of_start = 0, of_end = 0;  // the same in every lane of a warp
  for (int64_t row = blockIdx.x * int64_t{kWarpsPerBlock} + threadIdx.x / kWarp; row < rows;
       row += int64_t{gridDim.x} * kWarpsPerBlock) {
    const float start = dlogits[2 * row], end = dlogits[2 * row + 1];
    of_start += start;
    of_end += end;
    for (int v = 0; v < Shape::kVectors; ++v) {
      const int64_t c = column_of(v);
      if (!Shape::has(c, width)) continue;
      const float4 h = load4(hidden + row * width + c);
      sums[0][v] = add(sums[0][v], scaled(h, start));
      sums[1][v] = add(sums[1][v], scaled(h, end));
      store4(dhidden + row * width + c,
             add(scaled(load4(weight + c), start), scaled(load4(weight + width + c), end)));
    }
  }
  float* to = partial + blockIdx.x * (2 * width + 2);
  sum_over_warps<2, Shape::kVectors>(sums, width, to);
  const bool first_lane = threadIdx.x % kWarp == 0;
  const float start = block_sum(first_lane ? of_start : 0.0f), end = block_sum(first_lane ? of_end : 0.0f);
  if (threadIdx.x == 0) {
    to[2 * width] = start;
    to[2 * width + 1] = end;
  }
}

}  // namespace

template <typename T>
void span_logits(const T* hidden, const float* weight, const float* bias, int64_t rows, int64_t width,
                 float* logits, cudaStream_t stream) {
  for_row_shape(width, [&]<typename Shape>() {
    launch(span_logits_kernel<T, Shape>, blocks_for(rows, kWarpsPerBlock), kThreads, stream, hidden, weight,
           bias, rows, width, logits);
  });
}

template <typename T>
void span_logits_gradient(const float* dlogits, const T* hidden, const float* weight, int64_t rows,
                          int64_t width, T* dhidden, float* partial, cudaStream_t stream) {
  for_row_shape(width, [&]<typename Shape>() {
    launch(span_logits_gradient_kernel<T, Shape>, kMostParts, kThreads, stream, dlogits, hidden, weight, rows,
           width, dhidden, partial);
  });
}

#define EXPCTL_SPAN_HEAD_OF(T)                                                                             \
  template void span_logits(const T*, const float*, const float*, int64_t, int64_t, float*, cudaStream_t); \
  template void span_logits_gradient(const float*, const T*, const float*, int64_t, int64_t, T*, float*,   \
                                     cudaStream_t);
EXPCTL_SPAN_HEAD_OF(float)
EXPCTL_SPAN_HEAD_OF(__nv_bfloat16)
EXPCTL_SPAN_HEAD_OF(__half)
#undef EXPCTL_SPAN_HEAD_OF

}  // namespace expctl::cuda
