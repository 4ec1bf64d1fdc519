#include "trainer/optimizer.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "formats/bert_names.h"
#include "trainer/clones.h"

namespace expctl {
namespace {

constexpr int64_t kElementsPerTask = 65536;

/// The numbers of one update of one tensor.
struct Coefficients {
  float beta1, beta2, gradient_scale;
  float coupled_decay;    ///< is added to the gradient, times the parameter
  float decoupled_decay;  ///< is added to the update, times the parameter
  float kept;             ///< 1 - learning_rate decoupled_decay, rounded once
  float learning_rate;
  float mean_correction;  ///< 1 / (1 - beta1^step)
  float root_correction;  ///< 1 / sqrt(1 - beta2^step)
  float epsilon;
};

Coefficients coefficients(const TrainSpec& spec, const std::string& name, double learning_rate, int64_t step,
                          double gradient_scale) {
  const auto power = static_cast<double>(step);
  const double left1 = spec.bias_correction ? 1.0 - std::pow(spec.adam_beta1, power) : 1.0;
  const double left2 = spec.bias_correction ? 1.0 - std::pow(spec.adam_beta2, power) : 1.0;
  const double decay = is_bias_or_norm(name) ? 0.0 : spec.weight_decay;
  const bool coupled = spec.optimizer == "adam" || spec.optimizer == "sgd";
  const double decoupled_decay = coupled ? 0.0 : decay;
  return {
      static_cast<float>(spec.adam_beta1),        static_cast<float>(spec.adam_beta2),
      static_cast<float>(gradient_scale),         static_cast<float>(coupled ? decay : 0.0),
      static_cast<float>(decoupled_decay),        static_cast<float>(1.0 - learning_rate * decoupled_decay),
      static_cast<float>(learning_rate),          static_cast<float>(1.0 / left1),
      static_cast<float>(1.0 / std::sqrt(left2)), static_cast<float>(spec.adam_epsilon)};
}

/// The tensors of one parameter, element by element.
struct Elements {
  float* __restrict parameter;
  const float* __restrict gradient;
  float* __restrict mean;
  float* __restrict variance;

  Elements from(int64_t begin) const {
    return {parameter + begin, gradient + begin, mean + begin, variance + begin};
  }
};

/// Updates the moments of element i; returns Adam's step of it, without the learning rate.
inline float moments_step(const Elements& e, int64_t i, const Coefficients& c) {
  const float g = e.gradient[i] * c.gradient_scale + c.coupled_decay * e.parameter[i];
  e.mean[i] = c.beta1 * e.mean[i] + (1.0f - c.beta1) * g;
  e.variance[i] = c.beta2 * e.variance[i] + (1.0f - c.beta2) * g * g;
  return c.mean_correction * e.mean[i] / (std::sqrt(e.variance[i]) * c.root_correction + c.epsilon);
}

EXPCTL_CLONES void adam(Elements e, int64_t count, const Coefficients& given) {
  const Coefficients c = given;
  for (int64_t i = 0; i < count; ++i) {
    const float step = moments_step(e, i, c);
    e.parameter[i] = e.parameter[i] * c.kept - c.learning_rate * step;
  }
}

/// LAMB's update before it is scaled by the trust ratio, into `update`.
EXPCTL_CLONES void lamb_update(Elements e, float* __restrict update, int64_t count,
                               const Coefficients& given) {
  const Coefficients c = given;
  for (int64_t i = 0; i < count; ++i) update[i] = moments_step(e, i, c) + c.decoupled_decay * e.parameter[i];
}

void adam_step(const Elements& e, int64_t count, const Coefficients& c) {
  at::parallel_for(0, count, kElementsPerTask,
                   [&](int64_t begin, int64_t end) { adam(e.from(begin), end - begin, c); });
}

void lamb_step(torch::Tensor& parameter, const Elements& e, const Coefficients& c, bool with_trust_ratio) {
  auto update = torch::empty_like(parameter, torch::requires_grad(false));
  auto* updates = update.data_ptr<float>();
  at::parallel_for(0, parameter.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) {
    lamb_update(e.from(begin), updates + begin, end - begin, c);
  });
  double ratio = 1;
  if (with_trust_ratio) {
    const auto size = parameter.norm().item<double>();
    const auto step = update.norm().item<double>();
    if (size > 0 && step > 0) ratio = size / step;
  }
  parameter.sub_(update, static_cast<double>(c.learning_rate) * ratio);
}

}  // namespace

OptimizerState fresh_optimizer_state(const TrainSpec& spec, const Parameters& parameters) {
  OptimizerState state;
  if (spec.optimizer == "sgd") return state;
  for (const auto& [name, parameter] : parameters) {
    state.mean[name] = torch::zeros_like(parameter, torch::requires_grad(false));
    state.variance[name] = torch::zeros_like(parameter, torch::requires_grad(false));
  }
  return state;
}

void optimizer_step(Parameters& parameters, OptimizerState& state, const TrainSpec& spec,
                    double learning_rate, int64_t step, double gradient_scale) {
  torch::NoGradGuard no_grad;
  for (auto& [name, parameter] : parameters) {
    if (!parameter.grad().defined()) continue;
    const Coefficients c = coefficients(spec, name, learning_rate, step, gradient_scale);
    const auto gradient = parameter.grad().contiguous();
    if (spec.optimizer == "sgd") {
      parameter.sub_(gradient * c.gradient_scale + parameter * c.coupled_decay, c.learning_rate);
      continue;
    }
    const Elements e{parameter.data_ptr<float>(), gradient.data_ptr<float>(),
                     state.mean.at(name).data_ptr<float>(), state.variance.at(name).data_ptr<float>()};
    if (spec.optimizer == "lamb")
      lamb_step(parameter, e, c, !is_bias_or_norm(name));
    else
      adam_step(e, parameter.numel(), c);
  }
}

}  // namespace expctl
