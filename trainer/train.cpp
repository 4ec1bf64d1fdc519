#include "trainer/train.h"

#include <algorithm>
#include <cmath>

namespace expctl {

Training::Training(const TrainSpec& spec, const Backend& backend, Precision precision, Checkpoint& checkpoint,
                   const TrainingData& data, DataOrder order, Ranks& ranks)
    : spec_(spec),
      machine_(machine_of(backend, ranks)),
      precision_(precision),
      checkpoint_(checkpoint),
      data_(data),
      ranks_(ranks),
      order_of_(std::move(order)),
      plan_(plan_steps(spec, static_cast<int64_t>(data.features.size()))),
      optimizer_(fresh_optimizer_state(spec, checkpoint.parameters)),
      engine_(backend.make_engine(spec, precision, checkpoint, optimizer_, data, ranks)) {
  if (precision != Precision::kFp16) position_.loss_scale.scale = 1;
}

std::vector<int64_t> Training::batch_of(int64_t step) {
  const int64_t epoch = step / plan_.steps_per_epoch;
  if (epoch != order_epoch_) {
    order_ = order_of_(epoch);
    order_epoch_ = epoch;
  }
  const int64_t first = (step % plan_.steps_per_epoch) * spec_.batch_size;
  const int64_t last = std::min(first + spec_.batch_size, static_cast<int64_t>(data_.features.size()));
  return {order_.begin() + first, order_.begin() + last};
}

void Training::begin_step() {
  const auto in_flight = static_cast<int64_t>(begun_.size());
  StepOrder order;
  order.step = position_.step + in_flight;
  order.batch = batch_of(order.step);
  order.learning_rate = learning_rate_at(spec_, plan_, position_.updates + in_flight);
  order.update = position_.updates + in_flight + 1;
  order.loss_scale = position_.loss_scale.scale;
  engine_->begin(order);
  begun_.push_back(std::move(order));
}

/// False where the training has diverged.
bool Training::finish_step(const TrainingHooks& hooks) {
  const StepOutcome outcome = engine_->finish();
  const StepOrder order = std::move(begun_.front());
  begun_.pop_front();
  if (hooks.on_gradients) {
    Parameters unscaled;
    for (const auto& [name, gradient] : engine_->gradients()) unscaled[name] = gradient / order.loss_scale;
    hooks.on_gradients(order.step + 1, unscaled);
  }
  const bool finite = std::isfinite(outcome.grad_norm);
  if (!std::isfinite(outcome.loss) || (!finite && precision_ != Precision::kFp16)) return false;
  if (precision_ == Precision::kFp16) position_.loss_scale = next_scale(position_.loss_scale, finite);
  if (position_.loss_scale.scale < LossScale::kSmallest) return false;
  if (finite) ++position_.updates;
  ++position_.step;

  const auto count = static_cast<double>(data_.features.size());
  const int64_t in_epoch = order.step % plan_.steps_per_epoch * spec_.batch_size;
  StepMetrics metrics;
  metrics.step = position_.step;
  metrics.epoch = static_cast<double>(order.step / plan_.steps_per_epoch) +
                  (static_cast<double>(in_epoch) + static_cast<double>(order.batch.size())) / count;
  metrics.loss = outcome.loss;
  metrics.learning_rate = order.learning_rate;
  metrics.grad_norm = outcome.grad_norm;
  for (const int64_t i : order.batch)
    metrics.tokens += static_cast<int64_t>(data_.features[static_cast<size_t>(i)].input_ids.size());
  hooks.on_step(metrics);
  return true;
}

/// All but the last `left` of the steps begun. False where the training has diverged.
bool Training::finish_steps(size_t left, const TrainingHooks& hooks) {
  while (begun_.size() > left) {
    if (!finish_step(hooks)) return false;
  }
  return true;
}

TrainEnd Training::run(const TrainingHooks& hooks) {
  // In fp16 the next step's loss scale, and where gradients are wanted they, are known only when one is done.
  // All ranks finish as many steps at a time, whichever wants it: one that saw a divergence before the others
  // would leave, and they would wait for it.
  const bool one_by_one = precision_ == Precision::kFp16 || on_any(ranks_, hooks.on_gradients != nullptr);
  const size_t in_flight = one_by_one ? 0 : engine_->most_in_flight();
  bool is_stopped = false;
  while (position_.step + static_cast<int64_t>(begun_.size()) < plan_.total_steps) {
    is_stopped = on_any(ranks_, hooks.should_stop());
    if (is_stopped) break;
    const int64_t next = position_.step + static_cast<int64_t>(begun_.size()) + 1;
    const bool is_wanted_here = hooks.wants_state && hooks.wants_state(next);
    const bool is_wanted = on_any(ranks_, is_wanted_here);
    begin_step();
    if (!finish_steps(is_wanted ? 0 : in_flight, hooks)) return TrainEnd::kDiverged;
    if (!is_wanted_here) continue;
    engine_->download();
    hooks.on_state(next);
  }
  if (!finish_steps(0, hooks)) return TrainEnd::kDiverged;
  engine_->download();
  if (is_stopped) return TrainEnd::kTerminated;
  // The loss of a step tells of the weights before it: nothing has looked at the last ones yet.
  for (const auto& [name, parameter] : checkpoint_.parameters) {
    if (!torch::isfinite(parameter).all().item<bool>()) return TrainEnd::kDiverged;
  }
  return TrainEnd::kDone;
}

const Parameters& Training::weights() const {
  return optimizer_.average.empty() ? checkpoint_.parameters : optimizer_.average;
}

void Training::save(const std::filesystem::path& path, const std::string& identity) const {
  write_training_state(path, identity, {precision_, machine_}, position_, checkpoint_.parameters, optimizer_);
}

bool Training::load(const std::filesystem::path& path, const std::string& identity) {
  const auto position = read_training_state(path, identity, checkpoint_.parameters, optimizer_);
  if (!position) return false;
  position_ = *position;
  engine_->upload();
  return true;
}

}  // namespace expctl
