// LayerNorm of a row that a warp holds in registers, and its gradient.
#pragma once

#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {

/// store(column, four elements of the normalized row, rounded to nothing yet) for each of a lane's vectors.
template <typename Shape, typename Store>
__device__ inline void normalize(const float4 (&values)[Shape::kVectors], const float* gamma,
                                 const float* beta, float epsilon, int64_t width, float* stats,
                                 const Store& store) {
  const float scale = 1.0f / static_cast<float>(width);
  float total = 0;
  for (int v = 0; v < Shape::kVectors; ++v) total += sum(values[v]);
  const float mean = scale * warp_sum(total);
  float squares = 0;
  for (int v = 0; v < Shape::kVectors; ++v) {
    if (!Shape::has(column_of(v), width)) continue;
    const float4 d = add(values[v], {-mean, -mean, -mean, -mean});
    squares += sum(multiply(d, d));
  }
  const float inverse = 1.0f / sqrtf(scale * warp_sum(squares) + epsilon);
  if (threadIdx.x % kWarp == 0) {
    stats[0] = mean;
    stats[1] = inverse;
  }
  for (int v = 0; v < Shape::kVectors; ++v) {
    const int64_t c = column_of(v);
    if (!Shape::has(c, width)) continue;
    const float4 d = add(values[v], {-mean, -mean, -mean, -mean});
    const float4 normal = multiply(d, {inverse, inverse, inverse, inverse});
    store(c, add(multiply(normal, load4(gamma + c)), load4(beta + c)));
  }
}

/// g, the gradient of the normalized row, becomes that of `row` (which is overwritten); those of gamma and
/// beta are added to dgamma and dbeta.
template <typename Shape>
__device__ inline void norm_gradient(float4 (&g)[Shape::kVectors], float4 (&row)[Shape::kVectors],
                                     const float* stats, const float* gamma, int64_t width,
                                     float4 (&dgamma)[Shape::kVectors], float4 (&dbeta)[Shape::kVectors]) {
  const float mean = stats[0], inverse = stats[1];
  float plain = 0, along = 0;
  for (int v = 0; v < Shape::kVectors; ++v) {
    const int64_t c = column_of(v);
    if (!Shape::has(c, width)) continue;
    row[v] = multiply(add(row[v], {-mean, -mean, -mean, -mean}), {inverse, inverse, inverse, inverse});
    dgamma[v] = add(dgamma[v], multiply(g[v], row[v]));
    dbeta[v] = add(dbeta[v], g[v]);
    g[v] = multiply(g[v], load4(gamma + c));
    plain += sum(g[v]);
    along += sum(multiply(g[v], row[v]));
  }
  const float scale = 1.0f / static_cast<float>(width);
  plain = scale * warp_sum(plain);
  along = scale * warp_sum(along);
  for (int v = 0; v < Shape::kVectors; ++v) {
    g[v] = {inverse * (g[v].x - plain - row[v].x * along), inverse * (g[v].y - plain - row[v].y * along),
            inverse * (g[v].z - plain - row[v].z * along), inverse * (g[v].w - plain - row[v].w * along)};
  }
}

}  // namespace expctl::cuda
