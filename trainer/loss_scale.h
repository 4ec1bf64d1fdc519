// The dynamic loss scale of fp16: gradients are computed of the loss times the scale, so that small ones are
// not flushed to zero. As PyTorch's GradScaler and its defaults (Micikevicius et al. 2018, section 3.2).
#pragma once

#include <cstdint>

namespace expctl {

struct LossScale {
  static constexpr double kFirst = 65536;
  static constexpr double kSmallest = 1;  ///< below it scaling is not what the gradients lack
  static constexpr int64_t kGrowthInterval = 2000;

  double scale = kFirst;
  int64_t good_steps = 0;  ///< in a row, since it was last changed

  bool operator==(const LossScale&) const = default;
};

/// The scale of the next step: halved after one with a gradient that is no finite number (which is left out),
/// doubled after kGrowthInterval good ones in a row.
LossScale next_scale(LossScale now, bool gradients_finite);

}  // namespace expctl
