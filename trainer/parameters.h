// Tensors by name.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

namespace expctl {

/// Parameters, or what belongs to each of them, by canonical name (formats/bert_names.h), fp32, in name
/// order.
using Parameters = std::map<std::string, torch::Tensor>;

}  // namespace expctl
