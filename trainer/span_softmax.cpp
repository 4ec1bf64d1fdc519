#include "trainer/span_softmax.h"

#include <algorithm>
#include <cmath>

namespace expctl {

SpanSoftmax::SpanSoftmax(const float* logits, size_t length) : logits_(logits), probabilities_(length) {
  double largest = logit(0), sum = 0;
  for (size_t i = 1; i < length; ++i) largest = std::max(largest, logit(i));
  for (size_t i = 0; i < length; ++i) sum += probabilities_[i] = std::exp(logit(i) - largest);
  for (double& probability : probabilities_) probability /= sum;
  log_sum_ = std::log(sum) + largest;
}

}  // namespace expctl
