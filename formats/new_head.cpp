#include "formats/new_head.h"

#include <functional>
#include <numeric>

#include "core/counter_random.h"

namespace expctl {

std::vector<float> new_head_values(const TensorShape& tensor, uint64_t seed_init) {
  constexpr double kDeviation = 0.02;
  const int64_t count =
      std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1}, std::multiplies<>());
  std::vector<float> values(static_cast<size_t>(count));
  if (is_bias_or_norm(tensor.name)) return values;
  // Each weight has a stream of its own: seeds are not negative, so that no complement is another's seed.
  CounterRandom random(tensor.name.starts_with("qa_outputs.") ? seed_init : ~seed_init);
  for (float& value : values) value = static_cast<float>(kDeviation * random.normal());
  return values;
}

}  // namespace expctl
