// How many optimizer steps a training has, and the learning rate of each: pure functions, as Hugging Face's
// Trainer counts.
#pragma once

#include <cstdint>

#include "core/train_spec.h"

namespace expctl {

struct StepPlan {
  int64_t steps_per_epoch = 0;  ///< the last, smaller batch of an epoch counts
  int64_t total_steps = 0;
  int64_t warmup_steps = 0;
};

/// `spec` is resolved. Throws Error where there are no features.
StepPlan plan_steps(const TrainSpec& spec, int64_t features);

/// The rate of the optimizer step `step`, counted from 0: linear warm-up, then linear to 0, half a cosine to
/// 0, or constant.
double learning_rate_at(const TrainSpec& spec, const StepPlan& plan, int64_t step);

}  // namespace expctl
