// The softmax of one end's logits over the tokens of a sequence.
#pragma once

#include <cstddef>
#include <vector>

namespace expctl {

/// Of `length` >= 1 logits that are every other number from `logits` on, in double precision.
class SpanSoftmax {
 public:
  SpanSoftmax(const float* logits, size_t length);

  size_t length() const { return probabilities_.size(); }
  double logit(size_t i) const { return logits_[2 * i]; }
  double probability(size_t i) const { return probabilities_[i]; }
  double log_probability(size_t i) const { return logit(i) - log_sum_; }
  /// The logarithm of the sum of the logits' exponentials.
  double log_sum() const { return log_sum_; }

 private:
  const float* logits_;
  std::vector<double> probabilities_;
  double log_sum_ = 0;
};

}  // namespace expctl
