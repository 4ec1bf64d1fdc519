#include "trainer/layer_rates.h"

#include <cmath>

#include "formats/bert_names.h"

namespace expctl {

double rate_factor(std::string_view name, int64_t layers, double decay) {
  if (is_span_head(name)) return 1;
  const auto layer = encoder_layer_of(name);
  const int64_t number = layer ? *layer + 1 : 0;
  return std::pow(decay, static_cast<double>(layers + 1 - number));
}

}  // namespace expctl
