// The span head of a model that is not fine-tuned yet.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/bert_names.h"

namespace expctl {

/// A tensor of the head before any training: normal with deviation 0.02 (BERT's initializer_range), a bias 0;
/// a function of its name and `seed_init` alone.
std::vector<float> new_head_values(const TensorShape& tensor, uint64_t seed_init);

}  // namespace expctl
