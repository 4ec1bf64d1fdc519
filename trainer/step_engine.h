// What computes the steps of a training: forward, backward and the optimizer's update. trainer/train.h says
// which steps, on which features, at which rate.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/parameters.h"

namespace expctl {

/// One optimizer step.
struct StepOrder {
  int64_t step = 0;            ///< from 0: keys the dropout masks
  std::vector<int64_t> batch;  ///< features
  double learning_rate = 0;
  int64_t update = 1;     ///< how many updates there are with this one
  double loss_scale = 1;  ///< what the loss is multiplied by before the backward pass
};

struct StepOutcome {
  double loss = 0;       ///< mean over the batch
  double grad_norm = 0;  ///< of the gradients without the loss scale, before clipping
};

/// Works on the parameters and the optimizer's state that it was made with: where they are kept elsewhere
/// meanwhile, upload() and download() copy them.
class StepEngine {
 public:
  virtual ~StepEngine() = default;

  /// How many steps may have been begun and not yet finished when the next one is begun.
  virtual size_t most_in_flight() const = 0;

  /// Begins a step. Parameters move only where its loss and its norm are finite numbers.
  virtual void begin(const StepOrder& order) = 0;
  /// What has become of the earliest step that was begun and not yet finished; waits for it.
  virtual StepOutcome finish() = 0;

  /// Those of the step begun last, with the loss scale, not clipped; on the host, valid until the next
  /// begin().
  virtual Parameters gradients() = 0;

  virtual void upload() = 0;
  virtual void download() = 0;
};

}  // namespace expctl
