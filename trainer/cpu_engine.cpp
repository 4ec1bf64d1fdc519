#include "trainer/cpu_engine.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "trainer/span_loss.h"

namespace expctl {

CpuEngine::CpuEngine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                     OptimizerState& optimizer, const std::vector<Feature>& features, Ranks& ranks,
                     int64_t bucket_floats)
    : spec_(spec),
      checkpoint_(checkpoint),
      optimizer_(optimizer),
      features_(features),
      ranks_(ranks),
      model_(make_cpu_model(checkpoint.config, precision)),
      gradients_(checkpoint.parameters),
      gradient_sum_(ranks, gradients_, checkpoint.config.num_hidden_layers, bucket_floats) {}

/// Of all ranks together, as the loss that it returns.
double CpuEngine::accumulate(const StepOrder& order) {
  model_->set_parameters(checkpoint_.parameters);
  gradients_.clear();
  const RankShare share = share_of(static_cast<int64_t>(order.batch.size()), ranks_.rank(), ranks_.size());
  if (share.count() == 0) gradients_.set_zero();
  double loss = 0;
  for (int64_t begin = share.begin; begin < share.end; begin += spec_.micro_batch) {
    const int64_t end = std::min(begin + spec_.micro_batch, share.end);
    loss += add_micro_batch(order, {begin, end}, end == share.end);
  }
  if (ranks_.size() == 1) return loss;
  gradient_sum_.finish(words_of(order.batch));
  return ranks_.sum(loss);
}

/// Its part of the loss; its gradients are added. Those of the last one of this rank's share go to the others
/// meanwhile.
double CpuEngine::add_micro_batch(const StepOrder& order, RankShare part, bool is_last) {
  const auto count = static_cast<double>(order.batch.size());
  const auto scale = static_cast<float>(order.loss_scale / count);
  const std::vector<int64_t> chosen(order.batch.begin() + part.begin, order.batch.begin() + part.end);
  const PackedBatch packed = pack(features_, chosen, part.begin);
  std::vector<int64_t> starts, ends;
  for (const int64_t i : chosen) {
    starts.push_back(features_[static_cast<size_t>(i)].start_position);
    ends.push_back(features_[static_cast<size_t>(i)].end_position);
  }
  const auto& logits =
      model_->forward_to_train(packed, {spec_.hidden_dropout,
                                        spec_.attention_dropout,
                                        {static_cast<uint64_t>(spec_.seed_dropout), order.step}});
  SpanLoss loss = span_loss(logits, packed.lengths, starts, ends);
  for (float& value : loss.gradient) value *= scale;
  model_->backward(loss.gradient, gradients_, [&](int64_t layer) {
    if (is_last) gradient_sum_.after_layer(layer);
  });
  return loss.sum / count;
}

/// In order.
std::vector<int64_t> CpuEngine::words_of(const std::vector<int64_t>& batch) const {
  std::set<int64_t> words;
  for (const int64_t i : batch) {
    const auto& ids = features_[static_cast<size_t>(i)].input_ids;
    words.insert(ids.begin(), ids.end());
  }
  return {words.begin(), words.end()};
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
