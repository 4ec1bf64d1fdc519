#include "trainer/rdrop.h"

#include <algorithm>
#include <cmath>

namespace expctl {
namespace {

/// The logarithms of the softmax of every other number from `logits` on.
std::vector<double> log_softmax(const float* logits, int64_t length) {
  std::vector<double> logs;
  for (int64_t i = 0; i < length; ++i) logs.push_back(logits[2 * i]);
  const double largest = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (const double value : logs) sum += std::exp(value - largest);
  for (double& value : logs) value -= largest + std::log(sum);
  return logs;
}

double divergence(const std::vector<double>& log_p, const std::vector<double>& log_q) {
  double sum = 0;
  for (size_t i = 0; i < log_p.size(); ++i) sum += std::exp(log_p[i]) * (log_p[i] - log_q[i]);
  return sum;
}

/// Adds to every other number from `gradient` on `weight` times the gradient of KL(p || q) + KL(q || p) by
/// p's logits.
void add_gradient(const std::vector<double>& log_p, const std::vector<double>& log_q, double weight,
                  float* gradient) {
  const double from_p = divergence(log_p, log_q);
  for (size_t i = 0; i < log_p.size(); ++i) {
    const double p = std::exp(log_p[i]), q = std::exp(log_q[i]);
    gradient[2 * i] += static_cast<float>(weight * (p * (log_p[i] - log_q[i] - from_p) + p - q));
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
      const auto log_p = log_softmax(logits.data() + first, length);
      const auto log_q = log_softmax(logits.data() + second, length);
      loss.sum += share * (divergence(log_p, log_q) + divergence(log_q, log_p));
      add_gradient(log_p, log_q, share, loss.gradient.data() + first);
      add_gradient(log_q, log_p, share, loss.gradient.data() + second);
    }
    at += 2 * length;
  }
  return loss;
}

}  // namespace expctl
