#include "trainer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace expctl {

StepPlan plan_steps(const TrainSpec& spec, int64_t features) {
  if (features < 1)
    throw Error("the training data makes no features", "check max_seq_length and the training file");
  StepPlan plan;
  plan.steps_per_epoch = (features + spec.batch_size - 1) / spec.batch_size;
  const double by_epochs = std::ceil(spec.epochs * static_cast<double>(plan.steps_per_epoch));
  plan.total_steps =
      spec.max_steps > 0 ? spec.max_steps : std::max<int64_t>(1, static_cast<int64_t>(by_epochs));
  plan.warmup_steps =
      static_cast<int64_t>(std::ceil(static_cast<double>(plan.total_steps) * spec.warmup_ratio));
  return plan;
}

double learning_rate_at(const TrainSpec& spec, const StepPlan& plan, int64_t step) {
  if (step < plan.warmup_steps) {
    return spec.learning_rate * static_cast<double>(step) / static_cast<double>(plan.warmup_steps);
  }
  if (spec.schedule == "constant") return spec.learning_rate;
  const auto rest = static_cast<double>(std::max<int64_t>(1, plan.total_steps - plan.warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - plan.warmup_steps) / rest);
  if (spec.schedule == "cosine")
    return spec.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return spec.learning_rate * (1.0 - progress);
}

}  // namespace expctl
