#include "trainer/optimizer.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/tiles.h"
#include "formats/bert_names.h"
#include "trainer/layer_rates.h"
#include "trainer/norm.h"

namespace expctl {
namespace {

constexpr int64_t kElementsPerTile = 65536;
constexpr int64_t kRowsPerTile = 64;

void adam_step(const UpdateElements& e, int64_t count, const UpdateCoefficients& c) {
  for_each_range(count, kElementsPerTile, [&](int64_t begin, int64_t end, int64_t) {
    optimizer_kernels().adam(e.from(begin), end - begin, c);
  });
}

/// Of some rows: the others have no gradient, no moments and no decay, and so stay as they are.
void adam_step_of_rows(const UpdateElements& e, const std::vector<int64_t>& rows, int64_t width,
                       const UpdateCoefficients& c) {
  for_each_range(static_cast<int64_t>(rows.size()), kRowsPerTile, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i)
      optimizer_kernels().adam(e.from(rows[static_cast<size_t>(i)] * width), width, c);
  });
}

void lamb_step(torch::Tensor& parameter, const UpdateElements& e, const UpdateCoefficients& c,
               bool with_trust_ratio) {
  auto update = torch::empty_like(parameter);
  auto* updates = update.data_ptr<float>();
  for_each_range(parameter.numel(), kElementsPerTile, [&](int64_t begin, int64_t end, int64_t) {
    optimizer_kernels().lamb_update(e.from(begin), updates + begin, end - begin, c);
  });
  double ratio = 1;
  if (with_trust_ratio) {
    const double size = norm_of(parameter), step = norm_of(update);
    if (size > 0 && step > 0) ratio = size / step;
  }
  parameter.sub_(update, static_cast<double>(c.learning_rate) * ratio);
}

std::vector<int64_t> union_of(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

}  // namespace

UpdateCoefficients update_coefficients(const TrainSpec& spec, bool has_decay, double learning_rate,
                                       int64_t update, double gradient_scale) {
  const auto power = static_cast<double>(update);
  const double left1 = spec.bias_correction ? 1.0 - std::pow(spec.adam_beta1, power) : 1.0;
  const double left2 = spec.bias_correction ? 1.0 - std::pow(spec.adam_beta2, power) : 1.0;
  const double decay = has_decay ? spec.weight_decay : 0.0;
  const bool coupled = spec.optimizer == "adam" || spec.optimizer == "sgd";
  const double decoupled_decay = coupled ? 0.0 : decay;
  return {
      static_cast<float>(spec.adam_beta1),        static_cast<float>(spec.adam_beta2),
      static_cast<float>(1.0 - spec.adam_beta1),  static_cast<float>(1.0 - spec.adam_beta2),
      static_cast<float>(gradient_scale),         static_cast<float>(coupled ? decay : 0.0),
      static_cast<float>(decoupled_decay),        static_cast<float>(1.0 - learning_rate * decoupled_decay),
      static_cast<float>(learning_rate),          static_cast<float>(1.0 / left1),
      static_cast<float>(1.0 / std::sqrt(left2)), static_cast<float>(spec.adam_epsilon)};
}

OptimizerState fresh_optimizer_state(const TrainSpec& spec, const Parameters& parameters) {
  OptimizerState state;
  if (spec.ema_decay > 0) {
    for (const auto& [name, parameter] : parameters) state.average[name] = parameter.clone();
  }
  if (spec.optimizer == "sgd") return state;
  for (const auto& [name, parameter] : parameters) {
    state.mean[name] = torch::zeros_like(parameter);
    state.variance[name] = torch::zeros_like(parameter);
  }
  return state;
}

std::vector<int64_t> find_moved_words(const OptimizerState& state) {
  std::vector<int64_t> rows;
  if (!state.mean.contains(kWordEmbeddings)) return rows;
  const auto& mean = state.mean.at(kWordEmbeddings);
  const auto& variance = state.variance.at(kWordEmbeddings);
  const int64_t width = mean.size(1);
  const auto is_zero = [&](const torch::Tensor& moment, int64_t row) {
    const float* values = moment.data_ptr<float>() + row * width;
    return std::all_of(values, values + width, [](float value) { return value == 0; });
  };
  for (int64_t row = 0; row < mean.size(0); ++row) {
    if (!is_zero(mean, row) || !is_zero(variance, row)) rows.push_back(row);  // a square may underflow
  }
  return rows;
}

void optimizer_step(Parameters& parameters, OptimizerState& state, const Gradients& gradients,
                    const TrainSpec& spec, int64_t layers, double learning_rate, int64_t step,
                    double gradient_scale) {
  state.moved_words = union_of(state.moved_words, gradients.word_rows());
  for (auto& [name, parameter] : parameters) {
    const double rate = learning_rate * rate_factor(name, layers, spec.layerwise_lr_decay);
    const UpdateCoefficients c =
        update_coefficients(spec, !is_bias_or_norm(name), rate, step, gradient_scale);
    const auto& gradient = gradients.values().at(name);
    if (spec.optimizer == "sgd") {
      parameter.sub_(gradient * c.gradient_scale + parameter * c.coupled_decay, c.learning_rate);
      continue;
    }
    const UpdateElements e{parameter.data_ptr<float>(), gradient.data_ptr<float>(),
                           state.mean.at(name).data_ptr<float>(), state.variance.at(name).data_ptr<float>()};
    if (spec.optimizer == "lamb")
      lamb_step(parameter, e, c, !is_bias_or_norm(name));
    else if (name == kWordEmbeddings && spec.weight_decay == 0)
      adam_step_of_rows(e, state.moved_words, parameter.size(1), c);
    else
      adam_step(e, parameter.numel(), c);
  }
}

}  // namespace expctl
