// Linear layers over packed rows, y = x W' + b: forward, and the gradients of x, W and b.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/buffer.h"
#include "trainer/kernels/kernels.h"

namespace expctl {

/// Weights [out, in] packed for products, side by side where several layers have the same input (query, key
/// and value: out is the sum of theirs).
template <typename T>
class PackedWeights {
 public:
  /// One of `weights` is fp32 [out_of_each, in].
  void pack(const std::vector<const float*>& weights, int64_t out_of_each, int64_t in);

  int64_t in() const { return in_; }
  int64_t out() const { return out_of_each_ * parts_; }
  int64_t parts() const { return parts_; }
  int64_t out_of_each() const { return out_of_each_; }

  /// Panels of W', those of each part after the other's; and of W, whose rows are those of all parts.
  const std::byte* forward_panel(int64_t part, int64_t panel) const;
  const std::byte* gradient_panel(int64_t panel) const;

 private:
  int64_t in_ = 0, out_of_each_ = 0, parts_ = 0;
  Buffer<std::byte> forward_, gradient_;
};

/// Memory for weight gradients' operands.
struct WeightGradientSpace {
  Buffer<std::byte> panels, blocks;
  Buffer<float> sums;  ///< of dy, over some rows each
};

/// out[rows, out] = x[rows, in] W' + biases; one bias for each part.
template <typename T>
void linear(const T* x, int64_t rows, const PackedWeights<T>& weights,
            const std::vector<const float*>& biases, T* out);

/// Of one layer: pre = x W' + bias, out = gelu(pre), of `pre` as T holds it. Where `pre` is null it is not
/// kept.
template <typename T>
void linear_gelu(const T* x, int64_t rows, const PackedWeights<T>& weights, const float* bias, T* pre,
                 T* out);

/// dx[rows, in] = dy[rows, out] W; times gelu'(pre) where `pre` is not null.
template <typename T>
void linear_input_gradient(const T* dy, int64_t rows, const PackedWeights<T>& weights, const T* pre, T* dx);

/// Where a layer's gradients go: fp32 [out, in] and [out].
struct LinearGradient {
  float *weight, *bias;
};

/// dW[out, in] (+)= dy' x, db[out] (+)= sums of dy over the rows, of layers side by side: dy is [rows, parts
/// times out_of_each]. Returns the sum of the squares of each part's dW.
template <typename T>
std::vector<double> linear_weight_gradient(const T* dy, const std::vector<LinearGradient>& parts,
                                           int64_t out_of_each, const T* x, int64_t in, int64_t rows,
                                           bool add, WeightGradientSpace& space);

}  // namespace expctl
