// AdamW (Loshchilov, Hutter 2019) as PyTorch computes it, in one pass over each tensor; state and parameters
// are fp32.
#pragma once

#include <torch/torch.h>

#include "core/train_spec.h"
#include "trainer/model.h"

namespace expctl {

struct AdamState {
  Parameters mean;      ///< first moments, zero before the first step
  Parameters variance;  ///< second moments
};

AdamState fresh_adam_state(const Parameters& parameters);

/// The global norm of all gradients (parameters without one count 0).
double gradient_norm(const Parameters& parameters);

/// One update in place. `step` counts from 1. Gradients are multiplied by `gradient_scale` (1, or less to
/// clip). Weight decay is decoupled and leaves biases and LayerNorm alone.
void adamw_step(Parameters& parameters, AdamState& state, const TrainSpec& spec, double learning_rate,
                int64_t step, double gradient_scale);

/// What clipping to `max_norm` multiplies by, as torch's clip_grad_norm_; 1 where max_norm is 0.
double clip_scale(double norm, double max_norm);

}  // namespace expctl
