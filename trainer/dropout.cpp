#include "trainer/dropout.h"

#include "core/counter_random.h"

namespace expctl {

uint64_t dropout_row_key(const DropoutKey& key, int64_t sequence, int64_t site, int64_t position) {
  uint64_t value = mix64(key.seed);
  for (const int64_t part : {key.step, sequence, site, position})
    value = mix64(value ^ static_cast<uint64_t>(part));
  return value;
}

Mask dropout_mask(double rate) {
  return {static_cast<uint32_t>(rate * 4294967296.0), static_cast<float>(1.0 / (1.0 - rate))};
}

}  // namespace expctl
