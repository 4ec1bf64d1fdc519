#include "trainer/dropout.h"

#include <algorithm>
#include <cmath>

#include "core/counter_random.h"

namespace expctl {

uint64_t dropout_sequence_key(const DropoutKey& key, int64_t sequence) {
  const uint64_t of_step = mix64(mix64(key.seed) ^ static_cast<uint64_t>(key.step));
  return mix64(of_step ^ static_cast<uint64_t>(sequence));
}

uint64_t dropout_row_key(const DropoutKey& key, int64_t sequence, int64_t site, int64_t position) {
  return mask_row_key(dropout_sequence_key(key, sequence), site, position);
}

Mask dropout_mask(double rate) {
  constexpr double kOf = 65536;
  const double threshold = std::min(std::round(rate * kOf), kOf - 1);
  return {static_cast<uint32_t>(threshold), static_cast<float>(kOf / (kOf - threshold))};
}

}  // namespace expctl
