// Which masks a dropout has: a pure function of (seed, step, pass, sequence, site, position, element), so
// that accumulation, resume and another micro-batch give the same ones. They are computed where they are
// used, in the backward pass again, and never stored.
#pragma once

#include <cstdint>

#include "trainer/kernels/mask.h"

namespace expctl {

/// Which masks of a step: sites are numbered by the model.
struct DropoutKey {
  uint64_t seed = 0;
  int64_t step = 0;
};

/// What a sequence is to its masks: its place in the step's batch, and in which pass over the batch it is.
/// In pass 0 it is the place.
constexpr int64_t sequence_in_pass(int64_t place, int64_t pass) {
  constexpr int kPlaceBits = 40;
  return place + (pass << kPlaceBits);
}

// The passes of a step: over its batch as it is, and over the one that is attacked (trainer/word_attack.h).
// The second of two at once (trainer/rdrop.h) has the number after it.
inline constexpr int64_t kCleanPass = 0, kAttackedPass = 2;

/// What keys all rows of a sequence (mask_row_key).
uint64_t dropout_sequence_key(const DropoutKey& key, int64_t sequence);

/// The key of one row of elements: one position of one sequence at one site.
uint64_t dropout_row_key(const DropoutKey& key, int64_t sequence, int64_t site, int64_t position);

/// Each element is zeroed with probability `rate`, to the nearest of 1 / 65536, the rest scaled by 1 / (1 -
/// that).
Mask dropout_mask(double rate);

}  // namespace expctl
