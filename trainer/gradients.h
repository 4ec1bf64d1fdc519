// Gradients as one vector: their global norm, and clipping to it.
#pragma once

#include "trainer/model.h"

namespace expctl {

/// The global norm of all gradients (parameters without one count 0).
double gradient_norm(const Parameters& parameters);

/// What clipping to `max_norm` multiplies by, as torch's clip_grad_norm_; 1 where max_norm is 0.
double clip_scale(double norm, double max_norm);

}  // namespace expctl
