#include "trainer/cpu_engine.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "trainer/average.h"
#include "trainer/rdrop.h"
#include "trainer/word_attack.h"

namespace expctl {

CpuEngine::CpuEngine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                     OptimizerState& optimizer, const TrainingData& data, Ranks& ranks, int64_t bucket_floats)
    : spec_(spec),
      checkpoint_(checkpoint),
      optimizer_(optimizer),
      data_(data),
      ranks_(ranks),
      model_(make_cpu_model(checkpoint.config, precision)),
      gradients_(checkpoint.parameters),
      gradient_sum_(ranks, gradients_, checkpoint.config.num_hidden_layers, bucket_floats) {}

/// Of all ranks together, as the loss that it returns.
double CpuEngine::accumulate(const StepOrder& order) {
  model_->set_parameters(checkpoint_.parameters);
  gradients_.clear();
  const bool attacks = spec_.adversarial == "fgm";
  const double loss = add_share(order, kCleanPass, !attacks);
  if (attacks) {
    const std::vector<int64_t> words = words_of(order.batch);
    const WordAttack attack(checkpoint_.parameters.at(kWordEmbeddings), words,
                            gradient_sum_.sum_of_words(words));
    add_share(order, kAttackedPass, true);
  }
  if (ranks_.size() == 1) return loss;
  gradient_sum_.finish(words_of(order.batch));
  return ranks_.sum(loss);
}

/// This rank's part of the loss; its gradients are added. Those of the last pass go to the others meanwhile.
double CpuEngine::add_share(const StepOrder& order, int64_t pass, bool is_last) {
  const RankShare share = share_of(static_cast<int64_t>(order.batch.size()), ranks_.rank(), ranks_.size());
  if (share.count() == 0) gradients_.set_zero();
  double loss = 0;
  for (int64_t begin = share.begin; begin < share.end; begin += spec_.micro_batch) {
    const int64_t end = std::min(begin + spec_.micro_batch, share.end);
    loss += add_micro_batch(order, {begin, end}, pass, is_last && end == share.end);
  }
  return loss;
}

/// R-Drop's two passes are computed together, as one batch of twice the sequences.
double CpuEngine::add_micro_batch(const StepOrder& order, RankShare part, int64_t pass, bool is_last) {
  const auto count = static_cast<double>(order.batch.size());
  const auto scale = static_cast<float>(order.loss_scale / count);
  const std::vector<int64_t> chosen(order.batch.begin() + part.begin, order.batch.begin() + part.end);
  PackedBatch packed = pack(data_.features, chosen, sequence_in_pass(part.begin, pass));
  const std::vector<int64_t> lengths = packed.lengths;
  const bool twice = spec_.rdrop > 0;
  if (twice) pack_more(data_.features, chosen, sequence_in_pass(part.begin, pass + 1), packed);
  const auto& logits =
      model_->forward_to_train(packed, {spec_.hidden_dropout,
                                        spec_.attention_dropout,
                                        {static_cast<uint64_t>(spec_.seed_dropout), order.step}});
  const SpanTargets targets = targets_of(chosen);
  SpanLoss loss =
      twice ? rdrop_loss(logits, lengths, targets, spec_.rdrop) : span_loss(logits, lengths, targets);
  for (float& value : loss.gradient) value *= scale;
  model_->backward(loss.gradient, gradients_, [&](int64_t layer) {
    if (is_last) gradient_sum_.after_layer(layer);
  });
  return loss.sum / count;
}

SpanTargets CpuEngine::targets_of(const std::vector<int64_t>& chosen) const {
  SpanTargets targets;
  targets.smoothing = spec_.label_smoothing;
  targets.distillation = spec_.distillation;
  for (const int64_t i : chosen) {
    const auto f = static_cast<size_t>(i);
    targets.starts.push_back(data_.features[f].start_position);
    targets.ends.push_back(data_.features[f].end_position);
    if (data_.teacher == nullptr) continue;
    for (auto token = data_.teacher->offsets[f]; token < data_.teacher->offsets[f + 1]; ++token) {
      targets.teacher.push_back(data_.teacher->start[static_cast<size_t>(token)]);
      targets.teacher.push_back(data_.teacher->end[static_cast<size_t>(token)]);
    }
  }
  return targets;
}

/// In order.
std::vector<int64_t> CpuEngine::words_of(const std::vector<int64_t>& batch) const {
  std::set<int64_t> words;
  for (const int64_t i : batch) {
    const auto& ids = data_.features[static_cast<size_t>(i)].input_ids;
    words.insert(ids.begin(), ids.end());
  }
  return {words.begin(), words.end()};
}

void CpuEngine::begin(const StepOrder& order) {
  outcome_.loss = accumulate(order);
  outcome_.grad_norm = gradient_norm(gradients_) / order.loss_scale;
  if (!std::isfinite(outcome_.loss) || !std::isfinite(outcome_.grad_norm)) return;
  optimizer_step(checkpoint_.parameters, optimizer_, gradients_, spec_, checkpoint_.config.num_hidden_layers,
                 order.learning_rate, order.update,
                 clip_scale(outcome_.grad_norm, spec_.max_grad_norm) / order.loss_scale);
  move_average(optimizer_.average, checkpoint_.parameters, average_decay(spec_.ema_decay, order.update));
}

StepOutcome CpuEngine::finish() {
  return outcome_;
}

}  // namespace expctl
