#include "trainer/rdrop.h"

#include "trainer/span_softmax.h"

namespace expctl {
namespace {

/// KL(p || q).
double divergence(const SpanSoftmax& p, const SpanSoftmax& q) {
  double sum = 0;
  for (size_t i = 0; i < p.length(); ++i)
    sum += p.probability(i) * (p.log_probability(i) - q.log_probability(i));
  return sum;
}

/// Adds to every other number from `gradient` on `weight` times the gradient of KL(p || q) + KL(q || p) by
/// p's logits.
void add_gradient(const SpanSoftmax& p, const SpanSoftmax& q, double weight, float* gradient) {
  const double from_p = divergence(p, q);
  for (size_t i = 0; i < p.length(); ++i) {
    const double of_p = p.log_probability(i) - q.log_probability(i) - from_p;
    gradient[2 * i] +=
        static_cast<float>(weight * (p.probability(i) * of_p + p.probability(i) - q.probability(i)));
  }
}

/// The two passes' losses, each counted half.
SpanLoss mean_of(const SpanLoss& first, const SpanLoss& second) {
  SpanLoss mean{(first.sum + second.sum) / 2, first.gradient};
  mean.gradient.insert(mean.gradient.end(), second.gradient.begin(), second.gradient.end());
  for (float& value : mean.gradient) value /= 2;
  return mean;
}

}  // namespace

SpanLoss rdrop_loss(const std::vector<float>& logits, const std::vector<int64_t>& lengths,
                    const SpanTargets& targets, double weight) {
  const auto half = static_cast<std::ptrdiff_t>(logits.size() / 2);
  SpanLoss loss = mean_of(span_loss({logits.begin(), logits.begin() + half}, lengths, targets),
                          span_loss({logits.begin() + half, logits.end()}, lengths, targets));
  const double share = weight / 4;  // half of both directions, and of start and end
  int64_t at = 0;
  for (const int64_t length : lengths) {
    for (const int64_t first : {at, at + 1}) {
      const int64_t second = first + half;
      const SpanSoftmax p(logits.data() + first, static_cast<size_t>(length));
      const SpanSoftmax q(logits.data() + second, static_cast<size_t>(length));
      loss.sum += share * (divergence(p, q) + divergence(q, p));
      add_gradient(p, q, share, loss.gradient.data() + first);
      add_gradient(q, p, share, loss.gradient.data() + second);
    }
    at += 2 * length;
  }
  return loss;
}

}  // namespace expctl
