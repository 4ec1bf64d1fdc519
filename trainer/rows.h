// What is done row by row: dropout, residuals and LayerNorm, and changes of type.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/buffer.h"
#include "trainer/dropout.h"
#include "trainer/packed_batch.h"

namespace expctl {

/// Dropout over rows of hidden states: a key for each row, none where the rate is 0.
struct RowDropout {
  std::vector<uint64_t> keys;
  Mask mask;
};
RowDropout row_dropout(const PackedBatch& batch, const DropoutKey& key, int64_t site, double rate);

struct NormParameters {
  const float *gamma, *beta;
  float epsilon;
  int64_t width;
};

template <typename T>
struct NormActivations {
  Buffer<T> sum;        ///< [rows, width], before LayerNorm
  Buffer<float> stats;  ///< [rows, 2]: mean and 1 / deviation
  Buffer<T> out;        ///< [rows, width]
};

/// out = LayerNorm(dropout(x) + residual); residual may be null.
template <typename T>
void add_norm(const T* x, const T* residual, const RowDropout& dropout, const NormParameters& parameters,
              int64_t rows, NormActivations<T>& activations);

/// Of the gradient of `out`, gradient + more (`more` may be null): dsum, that of the sum and so of the
/// residual; dx, that of x; those of gamma and beta are added to where `add`, else written.
template <typename T>
void add_norm_gradient(const T* gradient, const T* more, const NormActivations<T>& activations,
                       const RowDropout& dropout, const NormParameters& parameters, int64_t rows, bool add,
                       T* dsum, T* dx, float* dgamma, float* dbeta, std::vector<float>& partial);

/// x with dropout, in place.
void apply_dropout(float* x, const RowDropout& dropout, int64_t width);

template <typename From, typename To>
void convert_rows(const From* from, To* to, int64_t count);

}  // namespace expctl
