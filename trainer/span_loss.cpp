#include "trainer/span_loss.h"

#include <algorithm>
#include <cmath>

namespace expctl {
namespace {

/// Half of the cross-entropy of `length` logits, every other number from `logits` on; its gradient likewise.
double half_cross_entropy(const float* logits, int64_t length, int64_t target, float* gradient) {
  const auto logit = [&](int64_t i) { return static_cast<double>(logits[2 * i]); };
  double largest = logit(0);
  for (int64_t i = 1; i < length; ++i) largest = std::max(largest, logit(i));
  double sum = 0;
  for (int64_t i = 0; i < length; ++i) sum += std::exp(logit(i) - largest);
  for (int64_t i = 0; i < length; ++i)
    gradient[2 * i] =
        static_cast<float>(0.5 * (std::exp(logit(i) - largest) / sum - (i == target ? 1.0 : 0.0)));
  return 0.5 * (std::log(sum) + largest - logit(target));
}

}  // namespace

SpanLoss span_loss(const std::vector<float>& logits, const std::vector<int64_t>& lengths,
                   const std::vector<int64_t>& starts, const std::vector<int64_t>& ends) {
  SpanLoss loss;
  loss.gradient.resize(logits.size());
  size_t first = 0;
  for (size_t s = 0; s < lengths.size(); ++s) {
    for (const size_t end : {size_t{0}, size_t{1}}) {
      const int64_t target = std::max<int64_t>(0, end == 0 ? starts[s] : ends[s]);
      const size_t at = 2 * first + end;
      if (target < lengths[s])
        loss.sum += half_cross_entropy(logits.data() + at, lengths[s], target, loss.gradient.data() + at);
    }
    first += static_cast<size_t>(lengths[s]);
  }
  return loss;
}

}  // namespace expctl
