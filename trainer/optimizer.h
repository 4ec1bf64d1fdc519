// The optimizers of the key `optimizer`; parameters and state are fp32. Weight decay leaves biases and
// LayerNorm alone in each.
//
//   adamw  Loshchilov, Hutter 2019, as torch.optim.AdamW: decay decoupled, p -= lr decay p before the step.
//          With bias_correction = false it is the optimizer of Google's BERT (AdamWeightDecayOptimizer).
//   adam   Kingma, Ba 2015, as torch.optim.Adam: decay is added to the gradient
//   sgd    as torch.optim.SGD without momentum, which is Hugging Face's "sgd": decay is added to the gradient
//   lamb   You et al. 2020, algorithm 2, with the authors' choice that biases and LayerNorm, which have no
//          decay, have no trust ratio either
#pragma once

#include "core/train_spec.h"
#include "trainer/gradients.h"
#include "trainer/kernels/optimizer_kernels.h"

namespace expctl {

/// What is kept between steps, by parameter name.
struct OptimizerState {
  Parameters mean;                   ///< first moments, zero before the first step; empty for sgd
  Parameters variance;               ///< second moments, likewise
  Parameters average;                ///< of the parameters (trainer/average.h); empty where ema_decay is 0
  std::vector<int64_t> moved_words;  ///< rows of the word embeddings that have ever had a gradient, in order
};

OptimizerState fresh_optimizer_state(const TrainSpec& spec, const Parameters& parameters);

/// moved_words of a state that was saved without them.
std::vector<int64_t> find_moved_words(const OptimizerState& state);

/// The numbers of an update: `update` counts from 1, `has_decay` says whether weight decay is for the tensor.
UpdateCoefficients update_coefficients(const TrainSpec& spec, bool has_decay, double learning_rate,
                                       int64_t update, double gradient_scale);

/// One update in place, of a model of so many encoder layers (trainer/layer_rates.h). `step` counts updates
/// from 1. Gradients are multiplied by `gradient_scale` (1, or less to clip).
void optimizer_step(Parameters& parameters, OptimizerState& state, const Gradients& gradients,
                    const TrainSpec& spec, int64_t layers, double learning_rate, int64_t step,
                    double gradient_scale);

}  // namespace expctl
