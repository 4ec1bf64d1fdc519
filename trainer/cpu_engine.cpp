#include "trainer/cpu_engine.h"

#include <algorithm>
#include <cmath>

#include "trainer/span_loss.h"

namespace expctl {

CpuEngine::CpuEngine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                     OptimizerState& optimizer, const std::vector<Feature>& features)
    : spec_(spec),
      checkpoint_(checkpoint),
      optimizer_(optimizer),
      features_(features),
      model_(make_cpu_model(checkpoint.config, precision)),
      gradients_(checkpoint.parameters) {}

double CpuEngine::accumulate(const StepOrder& order) {
  model_->set_parameters(checkpoint_.parameters);
  gradients_.clear();
  const auto& batch = order.batch;
  const auto count = static_cast<double>(batch.size());
  const auto scale = static_cast<float>(order.loss_scale / count);
  const auto micro = static_cast<size_t>(spec_.micro_batch);
  double loss = 0;
  for (size_t begin = 0; begin < batch.size(); begin += micro) {
    const std::vector<int64_t> chosen(
        batch.begin() + static_cast<std::ptrdiff_t>(begin),
        batch.begin() + static_cast<std::ptrdiff_t>(std::min(begin + micro, batch.size())));
    const PackedBatch packed = pack(features_, chosen, static_cast<int64_t>(begin));
    std::vector<int64_t> starts, ends;
    for (const int64_t i : chosen) {
      starts.push_back(features_[static_cast<size_t>(i)].start_position);
      ends.push_back(features_[static_cast<size_t>(i)].end_position);
    }
    const auto& logits =
        model_->forward_to_train(packed, {spec_.hidden_dropout,
                                          spec_.attention_dropout,
                                          {static_cast<uint64_t>(spec_.seed_dropout), order.step}});
    SpanLoss part = span_loss(logits, packed.lengths, starts, ends);
    for (float& value : part.gradient) value *= scale;
    model_->backward(part.gradient, gradients_);
    loss += part.sum / count;
  }
  return loss;
}

void CpuEngine::begin(const StepOrder& order) {
  outcome_.loss = accumulate(order);
  outcome_.grad_norm = gradient_norm(gradients_) / order.loss_scale;
  if (!std::isfinite(outcome_.loss) || !std::isfinite(outcome_.grad_norm)) return;
  optimizer_step(checkpoint_.parameters, optimizer_, gradients_, spec_, order.learning_rate, order.update,
                 clip_scale(outcome_.grad_norm, spec_.max_grad_norm) / order.loss_scale);
}

StepOutcome CpuEngine::finish() {
  return outcome_;
}

}  // namespace expctl
