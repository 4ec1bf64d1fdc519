// Norms, the same for any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/parameters.h"

namespace expctl {

struct FloatSpan {
  const float* values;
  int64_t count;
};

/// Of all spans together, computed in fp64.
double sum_of_squares(const std::vector<FloatSpan>& spans);

/// The Euclidean norm.
double norm_of(const torch::Tensor& tensor);  ///< contiguous, fp32

}  // namespace expctl
