// Trainings of a small model for the tests of the CUDA path.
#pragma once

#include <cmath>

#include "tests/trainer/cuda/on_device.h"
#include "tests/trainer/small_training.h"
#include "trainer/cuda/cuda_backend.h"

namespace expctl::test {

/// Of the features.
inline int sequence_length() {
  return is_emulated_gpu() ? 64 : 160;
}

struct Trained {
  TrainEnd end = TrainEnd::kDiverged;
  std::vector<StepMetrics> steps;
  Parameters parameters;
};

/// Without a check, so that any thread may call it.
inline Trained run_training(const SmallTraining& small, const TrainSpec& spec, const Backend& backend,
                            Precision precision, SpanHead head = SpanHead::kLinear, Ranks* ranks = nullptr) {
  Trained trained;
  Checkpoint model = small.model(head);
  auto training = small.training(spec, model, precision, backend, ranks);
  trained.end = training.run({[&](const StepMetrics& m) { trained.steps.push_back(m); }, never});
  trained.parameters = training.weights();
  return trained;
}

inline Trained train(const SmallTraining& small, const TrainSpec& spec, const Backend& backend,
                     Precision precision, SpanHead head = SpanHead::kLinear) {
  Trained trained = run_training(small, spec, backend, precision, head);
  REQUIRE(trained.end == TrainEnd::kDone);
  return trained;
}

inline TrainSpec many_steps() {
  TrainSpec spec = small_spec();
  spec.max_steps = is_emulated_gpu() ? 7 : 12;  // epochs of 6, 6 and 2: sizes come again, as graphs
  spec.adam_epsilon = 1e-3;
  return spec;
}

inline void check_close(const Trained& a, const Trained& b, double loss, double weights) {
  REQUIRE(a.steps.size() == b.steps.size());
  for (size_t i = 0; i < a.steps.size(); ++i) {
    INFO("step " << i + 1);
    CHECK(a.steps[i].loss == Approx(b.steps[i].loss).epsilon(loss));
    CHECK(a.steps[i].grad_norm == Approx(b.steps[i].grad_norm).epsilon(10 * loss));
    CHECK(a.steps[i].learning_rate == b.steps[i].learning_rate);
    CHECK(a.steps[i].tokens == b.steps[i].tokens);
  }
  CHECK(distance(a.parameters, b.parameters) < weights);
}

/// A teacher that says something to every token.
inline LogitsFile made_up_teacher(const SmallTraining& small) {
  LogitsFile teacher;
  teacher.offsets = {0};
  for (const auto& feature : small.features) {
    for (size_t i = 0; i < feature.input_ids.size(); ++i) {
      teacher.start.push_back(std::sin(static_cast<float>(teacher.start.size())) * 3);
      teacher.end.push_back(std::cos(static_cast<float>(teacher.end.size())) * 3);
    }
    teacher.offsets.push_back(static_cast<int64_t>(teacher.start.size()));
  }
  return teacher;
}

/// Settings of each technique, and of all at once.
inline const std::vector<std::vector<std::string>> kTechniques = {
    {"layerwise_lr_decay=0.8", "weight_decay=0.1"},
    {"label_smoothing=0.1"},
    {"ema_decay=0.9"},
    {"rdrop=2"},
    {"adversarial=fgm"},
    {"distillation=0.5"},
    {"layerwise_lr_decay=0.8", "label_smoothing=0.1", "ema_decay=0.9", "rdrop=2", "adversarial=fgm",
     "distillation=0.5", "micro_batch=4"}};

}  // namespace expctl::test
