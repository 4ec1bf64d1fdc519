// Training steps on the CPU, each computed when it is begun. Of several ranks each computes its share of the
// batch, and makes the whole update.
#pragma once

#include <memory>
#include <vector>

#include "core/train_spec.h"
#include "trainer/checkpoint.h"
#include "trainer/gradient_sum.h"
#include "trainer/gradients.h"
#include "trainer/model.h"
#include "trainer/optimizer.h"
#include "trainer/precision.h"
#include "trainer/ranks.h"
#include "trainer/span_loss.h"
#include "trainer/step_engine.h"
#include "trainer/training_data.h"

namespace expctl {

class CpuEngine : public StepEngine {
 public:
  CpuEngine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint, OptimizerState& optimizer,
            const TrainingData& data, Ranks& ranks, int64_t bucket_floats = kBucketFloats);

  size_t most_in_flight() const override { return 0; }
  void begin(const StepOrder& order) override;
  StepOutcome finish() override;
  Parameters gradients() override { return gradients_.values(); }
  void upload() override {}
  void download() override {}

 private:
  double accumulate(const StepOrder& order);
  double add_share(const StepOrder& order, int64_t pass, bool is_last);
  double add_micro_batch(const StepOrder& order, RankShare part, int64_t pass, bool is_last);
  SpanTargets targets_of(const std::vector<int64_t>& chosen) const;
  std::vector<int64_t> words_of(const std::vector<int64_t>& batch) const;

  const TrainSpec& spec_;
  Checkpoint& checkpoint_;
  OptimizerState& optimizer_;
  const TrainingData data_;
  Ranks& ranks_;
  std::unique_ptr<Model> model_;
  Gradients gradients_;
  GradientSum gradient_sum_;
  StepOutcome outcome_;
};

}  // namespace expctl
