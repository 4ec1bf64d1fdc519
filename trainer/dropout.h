// Dropout whose masks are a pure function of (seed, step, sequence, site, position, element), so that
// accumulation, resume and another micro-batch give the same masks. The mask is computed again in the
// backward pass, never stored.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace expctl {

/// Which mask of a step: sites are numbered by the model.
struct DropoutKey {
  uint64_t seed = 0;
  int64_t step = 0;
};

/// The key of one row of elements: one position of one sequence at one site.
uint64_t dropout_row_key(const DropoutKey& key, int64_t sequence, int64_t site, int64_t position);

/// x with each element zeroed with probability `rate`, the rest scaled by 1 / (1 - rate); the last dimension
/// is a row, and `row_keys` has one key a row. fp32, bf16 or fp16, contiguous or not. Autograd knows its
/// derivative.
torch::Tensor dropout(const torch::Tensor& x, std::vector<uint64_t> row_keys, double rate);

/// residual + dropout(x), in one pass.
torch::Tensor dropout_add(const torch::Tensor& x, const torch::Tensor& residual,
                          std::vector<uint64_t> row_keys, double rate);

}  // namespace expctl
