#include "trainer/span_loss.h"

#include <algorithm>

#include "trainer/span_softmax.h"

namespace expctl {
namespace {

/// Over the tokens of a sequence: what one end's logits are compared with. Its mass is 1, or less where the
/// label is left out.
struct Target {
  std::vector<double> values;
  double mass = 0;

  explicit Target(int64_t length) : values(static_cast<size_t>(length), 0.0) {}

  void add_label(int64_t label, double smoothing, double part) {
    const auto at = static_cast<size_t>(std::max<int64_t>(0, label));
    if (at >= values.size()) return;
    if (smoothing > 0) {
      for (double& value : values) value += part * smoothing / static_cast<double>(values.size());
    }
    values[at] += part * (1 - smoothing);
    mass += part;
  }

  void add_teacher(const float* logits, double part) {
    const SpanSoftmax teacher(logits, values.size());
    for (size_t i = 0; i < values.size(); ++i) values[i] += part * teacher.probability(i);
    mass += part;
  }
};

/// Half of the cross-entropy of logits, every other number from `logits` on; its gradient likewise.
double half_cross_entropy(const float* logits, const Target& target, float* gradient) {
  const SpanSoftmax softmax(logits, target.values.size());
  double expected = 0;
  for (size_t i = 0; i < softmax.length(); ++i) {
    if (target.values[i] > 0) expected += target.values[i] * softmax.logit(i);
    gradient[2 * i] = static_cast<float>(0.5 * (target.mass * softmax.probability(i) - target.values[i]));
  }
  return 0.5 * (target.mass * softmax.log_sum() - expected);
}

}  // namespace

SpanLoss span_loss(const std::vector<float>& logits, const std::vector<int64_t>& lengths,
                   const SpanTargets& targets) {
  SpanLoss loss;
  loss.gradient.resize(logits.size());
  size_t first = 0;
  for (size_t s = 0; s < lengths.size(); ++s) {
    for (const size_t end : {size_t{0}, size_t{1}}) {
      const int64_t label = end == 0 ? targets.starts[s] : targets.ends[s];
      const size_t at = 2 * first + end;
      Target target(lengths[s]);
      if (targets.teacher.empty()) {
        target.add_label(label, targets.smoothing, 1);
      } else {
        target.add_label(label, targets.smoothing, 1 - targets.distillation);
        target.add_teacher(targets.teacher.data() + at, targets.distillation);
      }
      if (target.mass > 0)
        loss.sum += half_cross_entropy(logits.data() + at, target, loss.gradient.data() + at);
    }
    first += static_cast<size_t>(lengths[s]);
  }
  return loss;
}

}  // namespace expctl
