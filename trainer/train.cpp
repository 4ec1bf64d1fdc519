#include "trainer/train.h"

#include <algorithm>
#include <cmath>

#include "trainer/span_loss.h"

namespace expctl {

Training::Training(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                   const std::vector<Feature>& features, DataOrder order)
    : spec_(spec),
      precision_(precision),
      checkpoint_(checkpoint),
      features_(features),
      order_of_(std::move(order)),
      plan_(plan_steps(spec, static_cast<int64_t>(features.size()))),
      model_(make_model(checkpoint.config, precision)),
      gradients_(checkpoint.parameters),
      optimizer_(fresh_optimizer_state(spec, checkpoint.parameters)) {
  if (precision != Precision::kFp16) position_.loss_scale.scale = 1;
}

double Training::accumulate(const std::vector<int64_t>& batch) {
  model_->set_parameters(checkpoint_.parameters);
  gradients_.clear();
  const auto count = static_cast<double>(batch.size());
  const auto scale = static_cast<float>(position_.loss_scale.scale / count);
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
                                          {static_cast<uint64_t>(spec_.seed_dropout), position_.step}});
    SpanLoss part = span_loss(logits, packed.lengths, starts, ends);
    for (float& value : part.gradient) value *= scale;
    model_->backward(part.gradient, gradients_);
    loss += part.sum / count;
  }
  return loss;
}

Parameters Training::unscaled_gradients() const {
  Parameters unscaled;
  for (const auto& [name, gradient] : gradients_.values())
    unscaled[name] = gradient / position_.loss_scale.scale;
  return unscaled;
}

StepMetrics Training::one_step(const TrainingHooks& hooks) {
  const auto count = static_cast<int64_t>(features_.size());
  const int64_t epoch = position_.step / plan_.steps_per_epoch;
  if (epoch != order_epoch_) {
    order_ = order_of_(epoch);
    order_epoch_ = epoch;
  }
  const int64_t first = (position_.step % plan_.steps_per_epoch) * spec_.batch_size;
  const int64_t last = std::min(first + spec_.batch_size, count);
  const std::vector<int64_t> batch(order_.begin() + first, order_.begin() + last);

  StepMetrics metrics;
  metrics.step = position_.step + 1;
  metrics.loss = accumulate(batch);
  if (hooks.on_gradients) hooks.on_gradients(metrics.step, unscaled_gradients());
  metrics.grad_norm = gradient_norm(gradients_) / position_.loss_scale.scale;
  metrics.learning_rate = learning_rate_at(spec_, plan_, position_.updates);
  metrics.epoch = static_cast<double>(epoch) + static_cast<double>(last) / static_cast<double>(count);
  for (const int64_t i : batch)
    metrics.tokens += static_cast<int64_t>(features_[static_cast<size_t>(i)].input_ids.size());
  return metrics;
}

TrainEnd Training::update(const StepMetrics& metrics) {
  const bool finite = std::isfinite(metrics.grad_norm);
  if (!std::isfinite(metrics.loss)) return TrainEnd::kDiverged;
  if (!finite && precision_ != Precision::kFp16) return TrainEnd::kDiverged;
  if (finite) {
    optimizer_step(checkpoint_.parameters, optimizer_, gradients_, spec_, metrics.learning_rate,
                   ++position_.updates,
                   clip_scale(metrics.grad_norm, spec_.max_grad_norm) / position_.loss_scale.scale);
  }
  if (precision_ == Precision::kFp16) position_.loss_scale = next_scale(position_.loss_scale, finite);
  return position_.loss_scale.scale < LossScale::kSmallest ? TrainEnd::kDiverged : TrainEnd::kDone;
}

TrainEnd Training::run(const TrainingHooks& hooks) {
  while (position_.step < plan_.total_steps) {
    if (hooks.should_stop()) return TrainEnd::kTerminated;
    const StepMetrics metrics = one_step(hooks);
    if (update(metrics) == TrainEnd::kDiverged) return TrainEnd::kDiverged;
    ++position_.step;
    hooks.on_step(metrics);
  }
  // The loss of a step tells of the weights before it: nothing has looked at the last ones yet.
  for (const auto& [name, parameter] : checkpoint_.parameters) {
    if (!torch::isfinite(parameter).all().item<bool>()) return TrainEnd::kDiverged;
  }
  return TrainEnd::kDone;
}

void Training::save(const std::filesystem::path& path, const std::string& identity) const {
  write_training_state(path, identity, precision_, position_, checkpoint_.parameters, optimizer_);
}

bool Training::load(const std::filesystem::path& path, const std::string& identity) {
  const auto position = read_training_state(path, identity, checkpoint_.parameters, optimizer_);
  if (position) position_ = *position;
  return position.has_value();
}

}  // namespace expctl
