// The loss of span prediction and its gradient.
#pragma once

#include <cstdint>
#include <vector>

namespace expctl {

struct SpanLoss {
  double sum = 0;               ///< over the sequences
  std::vector<float> gradient;  ///< of the sum by the logits, [T, 2]
};

/// Of `logits` [T, 2] of sequences of these lengths: for each the mean of start and end cross-entropy over
/// its real tokens. As transformers clamps them, a position below 0 counts as 0, and one past the sequence's
/// end is left out: it adds nothing.
SpanLoss span_loss(const std::vector<float>& logits, const std::vector<int64_t>& lengths,
                   const std::vector<int64_t>& starts, const std::vector<int64_t>& ends);

}  // namespace expctl
