// R-Drop (Liang et al. 2021): each sequence goes through the model twice, with other dropout masks, and the
// two distributions of an answer's ends are drawn to each other.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/span_loss.h"

namespace expctl {

/// Of `logits` [2T, 2], those of a first pass and then those of a second one over the same sequences: for
/// each the mean of both passes' cross-entropy, and `weight` times (KL(p1 || p2) + KL(p2 || p1)) / 2; as the
/// cross-entropy is, that too is the mean of start and end, over real tokens. `sum` is over the sequences,
/// `gradient` by all of the logits.
SpanLoss rdrop_loss(const std::vector<float>& logits, const std::vector<int64_t>& lengths,
                    const SpanTargets& targets, double weight);

}  // namespace expctl
