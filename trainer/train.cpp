#include "trainer/train.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "core/counter_random.h"
#include "core/error.h"
#include "formats/safetensors.h"

namespace expctl {

std::vector<int64_t> epoch_order(uint64_t seed_data, int64_t epoch, int64_t features) {
  std::vector<int64_t> order(static_cast<size_t>(features));
  std::iota(order.begin(), order.end(), 0);
  CounterRandom random(mix64(seed_data) + static_cast<uint64_t>(epoch));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

Training::Training(const TrainSpec& spec, bool bf16, Checkpoint& checkpoint,
                   const std::vector<Feature>& features)
    : spec_(spec),
      bf16_(bf16),
      checkpoint_(checkpoint),
      features_(features),
      plan_(plan_steps(spec, static_cast<int64_t>(features.size()))),
      adam_(fresh_adam_state(checkpoint.parameters)) {
  for (auto& [name, parameter] : checkpoint_.parameters) parameter.requires_grad_(true);
}

double Training::accumulate(const std::vector<int64_t>& batch) {
  double loss = 0;
  const auto micro = static_cast<size_t>(spec_.micro_batch);
  for (size_t begin = 0; begin < batch.size(); begin += micro) {
    const std::vector<int64_t> chosen(
        batch.begin() + static_cast<std::ptrdiff_t>(begin),
        batch.begin() + static_cast<std::ptrdiff_t>(std::min(begin + micro, batch.size())));
    const PackedBatch packed = pack(features_, chosen, static_cast<int64_t>(begin));
    ForwardOptions options;
    options.bf16 = bf16_;
    options.hidden_dropout = spec_.hidden_dropout;
    options.attention_dropout = spec_.attention_dropout;
    options.dropout = {static_cast<uint64_t>(spec_.seed_dropout), step_};
    std::vector<int64_t> starts, ends;
    for (const int64_t i : chosen) {
      starts.push_back(features_[static_cast<size_t>(i)].start_position);
      ends.push_back(features_[static_cast<size_t>(i)].end_position);
    }
    const auto logits = forward(checkpoint_.parameters, checkpoint_.config, packed, options);
    const auto part = loss_sum(logits, packed.lengths, starts, ends) / static_cast<double>(batch.size());
    part.backward();
    loss += part.item<double>();
  }
  return loss;
}

StepMetrics Training::one_step() {
  const auto count = static_cast<int64_t>(features_.size());
  const int64_t epoch = step_ / plan_.steps_per_epoch;
  if (epoch != order_epoch_) {
    order_ = epoch_order(static_cast<uint64_t>(spec_.seed_data), epoch, count);
    order_epoch_ = epoch;
  }
  const int64_t first = (step_ % plan_.steps_per_epoch) * spec_.batch_size;
  const int64_t last = std::min(first + spec_.batch_size, count);
  const std::vector<int64_t> batch(order_.begin() + first, order_.begin() + last);

  for (auto& [name, parameter] : checkpoint_.parameters) parameter.mutable_grad().reset();
  StepMetrics metrics;
  metrics.loss = accumulate(batch);
  metrics.grad_norm = gradient_norm(checkpoint_.parameters);
  metrics.learning_rate = learning_rate_at(spec_, plan_, step_);
  metrics.epoch = static_cast<double>(epoch) + static_cast<double>(last) / static_cast<double>(count);
  for (const int64_t i : batch)
    metrics.tokens += static_cast<int64_t>(features_[static_cast<size_t>(i)].input_ids.size());
  metrics.step = step_ + 1;
  return metrics;
}

TrainEnd Training::run(const std::function<void(const StepMetrics&)>& on_step,
                       const std::function<bool()>& should_stop) {
  while (step_ < plan_.total_steps) {
    if (should_stop()) return TrainEnd::kTerminated;
    const StepMetrics metrics = one_step();
    if (!std::isfinite(metrics.loss) || !std::isfinite(metrics.grad_norm)) return TrainEnd::kDiverged;
    torch::NoGradGuard no_grad;
    adamw_step(checkpoint_.parameters, adam_, spec_, metrics.learning_rate, metrics.step,
               clip_scale(metrics.grad_norm, spec_.max_grad_norm));
    ++step_;
    on_step(metrics);
  }
  // The loss of a step tells of the weights before it: nothing has looked at the last ones yet.
  for (const auto& [name, parameter] : checkpoint_.parameters) {
    if (!torch::isfinite(parameter).all().item<bool>()) return TrainEnd::kDiverged;
  }
  return TrainEnd::kDone;
}

void Training::save(const std::filesystem::path& path, const std::string& identity) const {
  Parameters all;
  for (const auto& [name, tensor] : checkpoint_.parameters) {
    all["parameter/" + name] = tensor;
    all["mean/" + name] = adam_.mean.at(name);
    all["variance/" + name] = adam_.variance.at(name);
  }
  save_tensors(
      path, all,
      {{"step", std::to_string(step_)}, {"identity", identity}, {"precision", bf16_ ? "bf16" : "fp32"}});
}

std::optional<bool> Training::saved_bf16(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const SafeTensors file = SafeTensors::read(path);
  const auto found = file.metadata().find("precision");
  return found == file.metadata().end() ? std::nullopt : std::optional(found->second == "bf16");
}

bool Training::load(const std::filesystem::path& path, const std::string& identity) {
  if (!std::filesystem::exists(path)) return false;
  const SafeTensors file = SafeTensors::read(path);
  const auto& metadata = file.metadata();
  if (!metadata.contains("identity") || !metadata.contains("step") || metadata.at("identity") != identity) {
    throw Error(fmt::format("{}: the saved state is of another training", path.string()),
                "remove it to train from the beginning");
  }
  torch::NoGradGuard no_grad;
  const auto restore = [&file](const std::string& name, torch::Tensor& tensor) {
    const TensorView& view = file.at(name);
    if (view.dtype != DType::kF32 || view.shape != tensor.sizes().vec()) {
      throw Error(fmt::format("{}: tensor '{}' has another shape than the model's", file.source(), name));
    }
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  };
  for (auto& [name, parameter] : checkpoint_.parameters) {
    restore("parameter/" + name, parameter);
    restore("mean/" + name, adam_.mean.at(name));
    restore("variance/" + name, adam_.variance.at(name));
  }
  step_ = std::stoll(metadata.at("step"));
  return true;
}

}  // namespace expctl
