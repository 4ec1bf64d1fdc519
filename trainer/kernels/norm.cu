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

// The gradient sums over rows too: half a block has a row at a time and each thread four of its columns,
// whose sums then stay in a few registers.
constexpr int kHalves = 2, kRowsAtOnce = 2, kMostRowThreads = kMostHidden / 4;
constexpr int kMostRowWarps = kMostRowThreads / kWarp;

int row_threads(int64_t width) {
  check_width(width);
  return static_cast<int>(blocks_for(width, 4 * kWarp)) * kWarp;
}

/// Of each of v; the lanes get them in order, so many of them each.
template <int kCount>
__device__ inline float warp_sums(float (&v)[kCount]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  int offset = kWarp / 2;
#pragma unroll
  for (int half = kCount / 2; half > 0; half /= 2, offset /= 2) {
    const bool is_upper = (lane & offset) != 0;
#pragma unroll
    for (int i = 0; i < half; ++i) {
      const float sent = is_upper ? v[i] : v[i + half], stays = is_upper ? v[i + half] : v[i];
      v[i] = stays + __shfl_xor_sync(kAllLanes, sent, offset);
    }
  }
#pragma unroll
  for (; offset > 0; offset /= 2) v[0] += __shfl_xor_sync(kAllLanes, v[0], offset);
  return v[0];
}

template <typename T, bool kDropout>
__global__ void __launch_bounds__(kHalves* kMostRowThreads, 2)
    add_norm_gradient_kernel(const T* gradient, const T* more, const T* sum, const float* stats,
                             RowsOnDevice rows, DropoutSite dropout, const float* gamma, int64_t width,
                             T* dsum, T* dx, float* partial) {
  const int of_row = static_cast<int>(blockDim.x) / kHalves, half = static_cast<int>(threadIdx.x) / of_row;
  const int thread = static_cast<int>(threadIdx.x) % of_row, warps = of_row / kWarp;
  const int64_t c = thread * 4;
  const bool is_column = c < width;
  const float4 scale = is_column ? load4(gamma + c) : float4{0, 0, 0, 0};
  const float per_column = 1.0f / static_cast<float>(width);
  alignas(16) __shared__ float of_warps[2][kHalves][kMostRowWarps][2 * kRowsAtOnce];
  float4 dgamma = {}, dbeta = {}, dbias = {};
  int turn = 0;
  for (int64_t base = blockIdx.x * int64_t{kHalves * kRowsAtOnce}; base < rows.rows;
       base += int64_t{gridDim.x} * kHalves * kRowsAtOnce, turn = 1 - turn) {
    const int64_t first = base + half * kRowsAtOnce;
    float4 g[kRowsAtOnce] = {}, normal[kRowsAtOnce] = {};
#pragma unroll
    for (int r = 0; r < kRowsAtOnce; ++r) {
      const int64_t at = (first + r) * width + c;
      if (!is_column || first + r >= rows.rows) continue;
      g[r] = load4(gradient + at);
      if (more != nullptr) g[r] = add(g[r], load4(more + at));
      normal[r] = load4(sum + at);
    }
    float inverse[kRowsAtOnce] = {}, sums[2 * kRowsAtOnce];
#pragma unroll
    for (int r = 0; r < kRowsAtOnce; ++r) {
      if (is_column && first + r < rows.rows) {
        const float mean = stats[2 * (first + r)];
        inverse[r] = stats[2 * (first + r) + 1];
        normal[r] = multiply(add(normal[r], {-mean, -mean, -mean, -mean}),
                             {inverse[r], inverse[r], inverse[r], inverse[r]});
        dgamma = add(dgamma, multiply(g[r], normal[r]));
        dbeta = add(dbeta, g[r]);
        g[r] = multiply(g[r], scale);
      }
      sums[2 * r] = cuda::sum(g[r]);
      sums[2 * r + 1] = cuda::sum(multiply(g[r], normal[r]));
    }
    const float of_warp = warp_sums(sums);
    constexpr int kOfEach = kWarp / (2 * kRowsAtOnce);
    if (thread % kOfEach == 0) of_warps[turn][half][thread / kWarp][thread % kWarp / kOfEach] = of_warp;
    __syncthreads();
    if (!is_column) continue;
    float4 plain_and_along[kRowsAtOnce / 2] = {};
    for (int w = 0; w < warps; ++w) {
#pragma unroll
      for (int i = 0; i < kRowsAtOnce / 2; ++i)
        plain_and_along[i] = add(plain_and_along[i], load4(&of_warps[turn][half][w][4 * i]));
    }
#pragma unroll
    for (int r = 0; r < kRowsAtOnce; ++r) {
      if (first + r >= rows.rows) break;
      const float4 both = plain_and_along[r / 2];
      const float plain = per_column * (r % 2 == 0 ? both.x : both.z);
      const float along = per_column * (r % 2 == 0 ? both.y : both.w);
      const float4 d = {inverse[r] * (g[r].x - plain - normal[r].x * along),
                        inverse[r] * (g[r].y - plain - normal[r].y * along),
                        inverse[r] * (g[r].z - plain - normal[r].z * along),
                        inverse[r] * (g[r].w - plain - normal[r].w * along)};
      const int64_t at = (first + r) * width + c;
      store4(dsum + at, d);
      float4 masked = rounded4<T>(d);
      if (kDropout) {
        const uint64_t key = row_key<kDropout>(rows, dropout, first + r);
        masked = rounded4<T>(multiply(masked, mask4(key, dropout.mask, static_cast<uint32_t>(c))));
      }
      store4(dx + at, masked);
      dbias = add(dbias, masked);
    }
  }
  __shared__ float4 of_other_half[3][kMostRowThreads];
  if (half == 1) {
    of_other_half[0][thread] = dgamma;
    of_other_half[1][thread] = dbeta;
    of_other_half[2][thread] = dbias;
  }
  __syncthreads();
  if (half == 1 || !is_column) return;
  float* to = partial + blockIdx.x * 3 * width + c;
  store4(to, add(dgamma, of_other_half[0][thread]));
  store4(to + width, add(dbeta, of_other_half[1][thread]));
  store4(to + 2 * width, add(dbias, of_other_half[2][thread]));
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
      add_norm_kernel<T, Shape, kDropout><<<blocks_for(rows.rows, kWarpsPerBlock), kThreads, 0, stream>>>(
          x, bias, residual, rows, dropout, gamma, beta, epsilon, width, sum, stats, out);
    });
  });
  check_launch();
}

template <typename T>
void add_norm_gradient(const T* gradient, const T* more, const T* sum, const float* stats,
                       const RowsOnDevice& rows, const DropoutSite& dropout, const float* gamma,
                       int64_t width, T* dsum, T* dx, float* partial, cudaStream_t stream) {
  for_dropout(dropout.mask, [&]<bool kDropout>() {
    add_norm_gradient_kernel<T, kDropout><<<kMostParts, kHalves * row_threads(width), 0, stream>>>(
        gradient, more, sum, stats, rows, dropout, gamma, width, dsum, dx, partial);
  });
  check_launch();
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
