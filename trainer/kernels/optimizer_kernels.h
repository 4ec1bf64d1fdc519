// The inner loops of the optimizers, element by element, in fp32.
#pragma once

#include <cstdint>

namespace expctl {

/// The numbers of one update of one tensor.
struct UpdateCoefficients {
  float beta1, beta2;
  float rest1, rest2;  ///< 1 - beta, rounded once
  float gradient_scale;
  float coupled_decay;    ///< is added to the gradient, times the parameter
  float decoupled_decay;  ///< is added to the update, times the parameter
  float kept;             ///< 1 - learning_rate decoupled_decay, rounded once
  float learning_rate;
  float mean_correction;  ///< 1 / (1 - beta1^step)
  float root_correction;  ///< 1 / sqrt(1 - beta2^step)
  float epsilon;
};

/// The tensors of one parameter.
struct UpdateElements {
  float* parameter;
  const float* gradient;
  float* mean;
  float* variance;

  UpdateElements from(int64_t begin) const {
    return {parameter + begin, gradient + begin, mean + begin, variance + begin};
  }
};

struct OptimizerKernels {
  /// Adam's step of `count` elements.
  void (*adam)(const UpdateElements& elements, int64_t count, const UpdateCoefficients& coefficients);
  /// LAMB's update before it is scaled by the trust ratio, into `update`; the moments are stepped.
  void (*lamb_update)(const UpdateElements& elements, float* update, int64_t count,
                      const UpdateCoefficients& coefficients);
};

/// Those of the instruction set in use.
const OptimizerKernels& optimizer_kernels();

}  // namespace expctl
