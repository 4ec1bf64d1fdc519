// Predictions on a GPU.
#pragma once

#include <memory>

#include "trainer/model.h"

namespace expctl::cuda {

/// As Backend::make_predictor(). Throws Error for a model that it does not compute.
std::unique_ptr<Predictor> make_predictor(const BertConfig& config, Precision precision);

}  // namespace expctl::cuda
