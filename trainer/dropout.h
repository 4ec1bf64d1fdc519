// Which masks a dropout has: a pure function of (seed, step, sequence, site, position, element), so that
// accumulation, resume and another micro-batch give the same ones. They are computed where they are used, in
// the backward pass again, and never stored.
#pragma once

#include <cstdint>

#include "trainer/kernels/mask.h"

namespace expctl {

/// Which masks of a step: sites are numbered by the model.
struct DropoutKey {
  uint64_t seed = 0;
  int64_t step = 0;
};

/// What keys all rows of a sequence (mask_row_key).
uint64_t dropout_sequence_key(const DropoutKey& key, int64_t sequence);

/// The key of one row of elements: one position of one sequence at one site.
uint64_t dropout_row_key(const DropoutKey& key, int64_t sequence, int64_t site, int64_t position);

/// Each element is zeroed with probability `rate`, to the nearest of 1 / 65536, the rest scaled by 1 / (1 -
/// that).
Mask dropout_mask(double rate);

}  // namespace expctl
