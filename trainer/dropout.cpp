#include "trainer/dropout.h"

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
  return {static_cast<uint32_t>(rate * 4294967296.0), static_cast<float>(1.0 / (1.0 - rate))};
}

}  // namespace expctl
