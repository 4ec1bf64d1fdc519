// Dropout, residuals and LayerNorm: a warp a row, which stays in registers.
#include "trainer/kernels/norm.cuh"

namespace expctl::cuda {
namespace {

template <typename T, typename Shape, bool kDropout>
__global__ void __launch_bounds__(kThreads)
    add_norm_kernel(const T* x, const float* bias, const T* residual, RowsOnDevice rows, DropoutSite dropout,
                    const float* gamma, const float* beta, float epsilon, int64_t width, T* sum, float* stats,
                    T* out) {
  const int64_t row = blockIdx.x * int64_t{kWarpsPerBlock} + threadIdx.x / kWarp;
  if (row >= rows.rows) return;
  const uint64_t key = row_key<kDropout>(rows, dropout, row);
  float4 values[Shape::kVectors];
  for (int v = 0; v < Shape::kVectors; ++v) {
    const int64_t c = column_of(v);
    values[v] = {0, 0, 0, 0};
    if (!Shape::has(c, width)) continue;
    float4 value = add(load4(x + row * width + c), load4(bias + c));
    if (kDropout) value = multiply(value, mask4(key, dropout.mask, static_cast<uint32_t>(c)));
    values[v] = rounded4<T>(add(value, load4(residual + row * width + c)));
    store4(sum + row * width + c, values[v]);
  }
  normalize<Shape>(values, gamma, beta, epsilon, width, stats + 2 * row,
                   [&](int64_t c, float4 normal) { store4(out + row * width + c, normal); });
}

template <typename T, typename Shape, bool kDropout>
__global__ void __launch_bounds__(kThreads, Shape::kVectors > 6 ? 1 : 2)  // all parts at once on a GPU
    add_norm_gradient_kernel(const T* gradient, const T* more, const T* sum, const float* stats,
                             RowsOnDevice rows, DropoutSite dropout, const float* gamma, int64_t width,
                             T* dsum, T* dx, float* partial) {
  float4 sums[3][Shape::kVectors] = {};
  for (int64_t row = blockIdx.x * int64_t{kWarpsPerBlock} + threadIdx.x / kWarp; row < rows.rows;
       row += int64_t{gridDim.x} * kWarpsPerBlock) {
    const uint64_t key = row_key<kDropout>(rows, dropout, row);
    float4 g[Shape::kVectors], normal[Shape::kVectors];
    for (int v = 0; v < Shape::kVectors; ++v) {
      const int64_t c = column_of(v);
      g[v] = normal[v] = {0, 0, 0, 0};
      if (!Shape::has(c, width)) continue;
      g[v] = load4(gradient + row * width + c);
      if (more != nullptr) g[v] = add(g[v], load4(more + row * width + c));
      normal[v] = load4(sum + row * width + c);
    }
    norm_gradient<Shape>(g, normal, stats + 2 * row, gamma, width, sums[0], sums[1]);
    for (int v = 0; v < Shape::kVectors; ++v) {
      const int64_t c = column_of(v);
      if (!Shape::has(c, width)) continue;
      store4(dsum + row * width + c, g[v]);
      float4 masked = rounded4<T>(g[v]);
      if (kDropout)
        masked = rounded4<T>(multiply(masked, mask4(key, dropout.mask, static_cast<uint32_t>(c))));
      store4(dx + row * width + c, masked);
      sums[2][v] = add(sums[2][v], masked);
    }
  }
  sum_over_warps<3, Shape::kVectors>(sums, width, partial + blockIdx.x * 3 * width);
}

}  // namespace

int32_t norm_parts() {
  return kMostParts;
}

template <typename T>
void add_norm(const T* x, const float* bias, const T* residual, const RowsOnDevice& rows,
              const DropoutSite& dropout, const float* gamma, const float* beta, float epsilon, int64_t width,
              T* sum, float* stats, T* out, cudaStream_t stream) {
  for_row_shape(width, [&]<typename Shape>() {
    for_dropout(dropout.mask, [&]<bool kDropout>() {
      launch(add_norm_kernel<T, Shape, kDropout>, blocks_for(rows.rows, kWarpsPerBlock), kThreads, stream, x,
             bias, residual, rows, dropout, gamma, beta, epsilon, width, sum, stats, out);
    });
  });
}

template <typename T>
void add_norm_gradient(const T* gradient, const T* more, const T* sum, const float* stats,
                       const RowsOnDevice& rows, const DropoutSite& dropout, const float* gamma,
                       int64_t width, T* dsum, T* dx, float* partial, cudaStream_t stream) {
  for_row_shape(width, [&]<typename Shape>() {
    for_dropout(dropout.mask, [&]<bool kDropout>() {
      launch(add_norm_gradient_kernel<T, Shape, kDropout>, kMostParts, kThreads, stream, gradient, more, sum,
             stats, rows, dropout, gamma, width, dsum, dx, partial);
    });
  });
}

#define EXPCTL_NORM_OF(T)                                                                           \
  template void add_norm(const T*, const float*, const T*, const RowsOnDevice&, const DropoutSite&, \
                         const float*, const float*, float, int64_t, T*, float*, T*, cudaStream_t); \
  template void add_norm_gradient(const T*, const T*, const T*, const float*, const RowsOnDevice&,  \
                                  const DropoutSite&, const float*, int64_t, T*, T*, float*, cudaStream_t);
EXPCTL_NORM_OF(float)
EXPCTL_NORM_OF(__nv_bfloat16)
EXPCTL_NORM_OF(__half)
#undef EXPCTL_NORM_OF

}  // namespace expctl::cuda
