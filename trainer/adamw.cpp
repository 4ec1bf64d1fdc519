#include "trainer/adamw.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "formats/bert_names.h"

namespace expctl {
namespace {

struct Coefficients {
  float beta1, beta2, gradient_scale, decay, step_size, root_correction, epsilon;
};

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void update(
    float* __restrict parameter, const float* __restrict gradient, float* __restrict mean,
    float* __restrict variance, int64_t count, const Coefficients& given) {
  const Coefficients c = given;
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * c.gradient_scale;
    mean[i] = c.beta1 * mean[i] + (1.0f - c.beta1) * g;
    variance[i] = c.beta2 * variance[i] + (1.0f - c.beta2) * g * g;
    const float denominator = std::sqrt(variance[i]) * c.root_correction + c.epsilon;
    parameter[i] = parameter[i] * c.decay - c.step_size * mean[i] / denominator;
  }
}

}  // namespace

AdamState fresh_adam_state(const Parameters& parameters) {
  AdamState state;
  for (const auto& [name, parameter] : parameters) {
    state.mean[name] = torch::zeros_like(parameter, torch::requires_grad(false));
    state.variance[name] = torch::zeros_like(parameter, torch::requires_grad(false));
  }
  return state;
}

double gradient_norm(const Parameters& parameters) {
  double sum = 0;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.grad().defined()) continue;
    const auto norm = parameter.grad().norm().item<double>();
    sum += norm * norm;
  }
  return std::sqrt(sum);
}

double clip_scale(double norm, double max_norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

void adamw_step(Parameters& parameters, AdamState& state, const TrainSpec& spec, double learning_rate,
                int64_t step, double gradient_scale) {
  const auto power = static_cast<double>(step);
  const double correction1 = spec.bias_correction ? 1.0 - std::pow(spec.adam_beta1, power) : 1.0;
  const double correction2 = spec.bias_correction ? 1.0 - std::pow(spec.adam_beta2, power) : 1.0;
  for (auto& [name, parameter] : parameters) {
    if (!parameter.grad().defined()) continue;
    const double decay = is_bias_or_norm(name) ? 0.0 : spec.weight_decay;
    const Coefficients c{static_cast<float>(spec.adam_beta1),
                         static_cast<float>(spec.adam_beta2),
                         static_cast<float>(gradient_scale),
                         static_cast<float>(1.0 - learning_rate * decay),
                         static_cast<float>(learning_rate / correction1),
                         static_cast<float>(1.0 / std::sqrt(correction2)),
                         static_cast<float>(spec.adam_epsilon)};
    const auto gradient = parameter.grad().contiguous();
    auto* values = parameter.data_ptr<float>();
    const auto* gradients = gradient.data_ptr<float>();
    auto* mean = state.mean.at(name).data_ptr<float>();
    auto* variance = state.variance.at(name).data_ptr<float>();
    at::parallel_for(0, parameter.numel(), 65536, [&](int64_t begin, int64_t end) {
      update(values + begin, gradients + begin, mean + begin, variance + begin, end - begin, c);
    });
  }
}

}  // namespace expctl
