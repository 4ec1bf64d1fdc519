// Dropout's masks, element by element; the same on every device. trainer/dropout.h says what they are a
// function of.
#pragma once

#include <cstdint>

#include "core/counter_random.h"

namespace expctl {

/// Which elements of a row are zeroed. The others are multiplied by `scale`.
struct Mask {
  uint32_t threshold = 0;  ///< an element whose 16 bits are below it is zeroed: 0 switches dropout off
  float scale = 1;
};

/// Of one position of one sequence at one site, from what step and sequence are mixed to.
constexpr uint64_t mask_row_key(uint64_t sequence_key, int64_t site, int64_t position) {
  return mix64(mix64(sequence_key ^ static_cast<uint64_t>(site)) ^ static_cast<uint64_t>(position));
}

/// The distance of two elements that share the bits of a hash: a lane of a GPU's matrix products has both.
inline constexpr uint32_t kMaskPair = 8;

/// The bits of an element of the row `key` without kMaskPair, low, and of the one with it, high: the
/// finaliser "lowbias32" by C. Wellons. Word is uint32_t, or a vector of them.
template <typename Word>
constexpr Word mask_pair(uint64_t key, Word element) {
  Word h = static_cast<uint32_t>(key) + element * 0x9e3779b9u;
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  return h ^ (h >> 16) ^ static_cast<uint32_t>(key >> 32);
}

/// What an element is multiplied by.
constexpr float mask_factor(uint64_t key, Mask mask, uint32_t element) {
  const uint32_t bits = mask_pair(key, element & ~kMaskPair) >> (element & kMaskPair) * 2;
  return (bits & 0xffff) >= mask.threshold ? mask.scale : 0.0f;
}

}  // namespace expctl
