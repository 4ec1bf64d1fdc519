#include "trainer/loss_scale.h"

namespace expctl {

LossScale next_scale(LossScale now, bool gradients_finite) {
  if (!gradients_finite) return {now.scale / 2, 0};
  if (now.good_steps + 1 < LossScale::kGrowthInterval) return {now.scale, now.good_steps + 1};
  return {now.scale * 2, 0};
}

}  // namespace expctl
