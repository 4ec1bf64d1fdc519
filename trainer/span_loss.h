// The loss of span prediction and its gradient.
#pragma once

#include <cstdint>
#include <vector>

namespace expctl {

/// What the logits of a batch's sequences are compared with: for each end the distribution over the
/// sequence's n real tokens that has 1 - smoothing at the label and smoothing / n everywhere besides, as
/// PyTorch's cross_entropy(label_smoothing) has it (Szegedy et al. 2016).
///
/// With a teacher the target is (1 - distillation) of that and `distillation` of the softmax of the teacher's
/// logits over the same tokens.
///
/// As transformers clamps them, a label below 0 counts as 0, and one past the sequence's end is left out: it
/// adds nothing, and only the teacher counts.
struct SpanTargets {
  std::vector<int64_t> starts, ends;  ///< labels, of each sequence
  double smoothing = 0;
  double distillation = 0;
  std::vector<float> teacher = {};  ///< logits, [T, 2]; empty: none
};

struct SpanLoss {
  double sum = 0;               ///< over the sequences
  std::vector<float> gradient;  ///< of the sum by the logits, [T, 2]
};

/// Of `logits` [T, 2] of sequences of these lengths: for each the mean of start and end cross-entropy over
/// its real tokens.
SpanLoss span_loss(const std::vector<float>& logits, const std::vector<int64_t>& lengths,
                   const SpanTargets& targets);

}  // namespace expctl
