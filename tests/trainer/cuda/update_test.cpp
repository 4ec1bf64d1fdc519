#include <limits>

#include "tests/trainer/cuda/on_device.h"
#include "trainer/optimizer.h"

using namespace expctl;
using namespace expctl::test;
using cuda::StepNumbers;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kLossScale = 1024;
constexpr int64_t kLayers = 1;

/// What finish_gradients() makes of them and of this loss.
StepNumbers numbers_of(const cuda::DeviceBuffer<float>& gradients, float loss, double max_norm,
                       double loss_scale) {
  const auto numbers = poisoned<StepNumbers>(1);
  const auto partial = poisoned<double>(cuda::kNormBlocks);
  const auto losses = on_device<float>(at::full({1}, loss)), part = on_device<float>(at::ones({1}));
  cuda::add_losses(losses.data(), 1, part.data(), false, numbers.data(), nullptr);
  cuda::finish_gradients(gradients.data(), gradients.count(), max_norm, loss_scale, partial.data(),
                         numbers.data(), nullptr);
  return value_from_device(numbers);
}

/// Two parameters one after the other, as the trainer keeps them: of the first, weights decay.
class TwoParameters {
 public:
  TwoParameters(const TrainSpec& spec, int64_t weights, int64_t biases)
      : spec_(spec),
        parameters_{{"x.weight", at::randn({weights})}, {"x.bias", at::randn({biases})}},
        gradients_(parameters_),
        state_(fresh_optimizer_state(spec, parameters_)),
        parameter_(on_device<float>(joined(parameters_))),
        mean_(on_device<float>(at::zeros({weights + biases}))),
        variance_(on_device<float>(at::zeros({weights + biases}))) {}

  /// On the CPU and on the GPU. `rounded` is the GPU's copy of the weights; biases have none.
  template <typename T>
  void step(int64_t number, double max_norm, const cuda::DeviceBuffer<T>& rounded) {
    const double learning_rate = 1e-2 / static_cast<double>(number);
    for (const auto& [name, gradient] : gradients_.values()) gradient.normal_(0.1, 0.5);
    const auto scaled = on_device<float>(joined(gradients_.values()) * kLossScale);
    optimizer_step(parameters_, state_, gradients_, spec_, kLayers, learning_rate, number,
                   clip_scale(gradient_norm(gradients_), max_norm));

    const auto numbers = poisoned<StepNumbers>(1);
    const StepNumbers finished = numbers_of(scaled, 0.5f, max_norm, kLossScale);
    cuda::check(cudaMemcpy(numbers.data(), &finished, sizeof finished, cudaMemcpyHostToDevice));
    int64_t begin = 0;
    for (const auto& [name, has_decay] : {std::pair("x.weight", true), std::pair("x.bias", false)}) {
      const bool is_sgd = spec_.optimizer == "sgd";
      const UpdateElements elements{parameter_.data() + begin, scaled.data() + begin,
                                    is_sgd ? nullptr : mean_.data() + begin,
                                    is_sgd ? nullptr : variance_.data() + begin};
      const int64_t count = parameters_.at(name).numel();
      // A kernel takes the scale of gradients from the step's numbers.
      const auto coefficients = update_coefficients(spec_, has_decay, learning_rate, number, kNaN);
      cuda::update<T>(is_sgd ? cuda::UpdateRule::kSgd : cuda::UpdateRule::kAdam, elements, count,
                      coefficients, numbers.data(), has_decay ? rounded.data() : nullptr, nullptr);
      begin += count;
    }
  }

  at::Tensor parameter() const { return from_device(parameter_, {parameter_.count()}); }

  void check_equal() const {
    check_close(parameter(), joined(parameters_), 1e-6);
    if (spec_.optimizer == "sgd") return;
    check_close(from_device(mean_, {mean_.count()}), joined(state_.mean), 1e-6);
    check_close(from_device(variance_, {variance_.count()}), joined(state_.variance), 1e-6);
  }

 private:
  static at::Tensor joined(const Parameters& parameters) {
    return at::cat({parameters.at("x.weight"), parameters.at("x.bias")});
  }

  TrainSpec spec_;
  Parameters parameters_;
  Gradients gradients_;
  OptimizerState state_;
  cuda::DeviceBuffer<float> parameter_, mean_, variance_;
};

struct Rule {
  const char* optimizer;
  bool bias_correction;
  double decay;
};

const std::vector<Rule> kRules = {{"adamw", true, 0.1},  {"adamw", true, 0.0}, {"adamw", false, 0.1},
                                  {"adamw", false, 0.0}, {"adam", true, 0.1},  {"adam", false, 0.0},
                                  {"sgd", true, 0.1},    {"sgd", true, 0.0}};

}  // namespace

TEMPLATE_TEST_CASE("update: three steps of each optimizer are the CPU's, clipped or not", "[cuda]", float,
                   __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  const int64_t biases = 1000;
  for (const Rule& rule : kRules) {
    for (const int64_t weights : {4, 1028, 4300000}) {  // the last: more than there are threads
      for (const double max_norm : {0.0, 1.0}) {
        if (is_emulated_gpu() && weights > 1028 && max_norm == 0) continue;
        INFO(rule.optimizer << (rule.bias_correction ? "" : " without bias correction") << ", decay "
                            << rule.decay << ", " << weights << " weights, clipped to " << max_norm);
        TrainSpec spec;
        spec.optimizer = rule.optimizer;
        spec.bias_correction = rule.bias_correction;
        spec.weight_decay = rule.decay;
        spec.adam_epsilon = 1e-6;
        const auto rounded = poisoned<TestType>(weights);
        TwoParameters two(spec, weights, biases);
        for (int64_t number = 1; number <= 3; ++number) {
          two.step<TestType>(number, max_norm, rounded);
          two.check_equal();
          const auto wanted = two.parameter().slice(0, 0, weights).to(type_on_host<TestType>());
          CHECK(same_bits(from_device(rounded, {weights}), wanted));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("update: the same update twice gives the same bits, one that is not finite moves nothing",
                   "[cuda]", float, __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  const int64_t count = 5000;
  const auto parameter = random_values<float>({count}), mean = random_values<float>({count}),
             variance = random_values<float>({count}).square(), gradient = random_values<float>({count}),
             copy = random_values<TestType>({count});
  const auto coefficients = update_coefficients({}, true, 1e-3, 4, 1.0);
  for (const auto rule : {cuda::UpdateRule::kAdam, cuda::UpdateRule::kSgd}) {
    for (const float bad : {0.0f, kInfinity, -kInfinity, kNaN}) {
      for (const bool is_of_loss : {false, true}) {
        INFO((rule == cuda::UpdateRule::kAdam ? "adam" : "sgd")
             << ", " << bad << (is_of_loss ? " as loss" : " as a gradient"));
        auto gradients = gradient.clone();
        if (!is_of_loss) gradients[count - 1] = bad;
        const auto at_gradient = on_device<float>(gradients);
        const auto results = same_twice([&]() -> std::vector<at::Tensor> {
          const auto at_parameter = on_device<float>(parameter), at_mean = on_device<float>(mean),
                     at_variance = on_device<float>(variance);
          const auto rounded = on_device<TestType>(copy);
          const StepNumbers finished = numbers_of(at_gradient, is_of_loss ? bad : 1.0f, 1.0, 1.0);
          CHECK(finished.is_finite == (bad == 0 ? 1 : 0));
          const auto numbers = poisoned<StepNumbers>(1);
          cuda::check(cudaMemcpy(numbers.data(), &finished, sizeof finished, cudaMemcpyHostToDevice));
          cuda::update<TestType>(
              rule, {at_parameter.data(), at_gradient.data(), at_mean.data(), at_variance.data()}, count,
              coefficients, numbers.data(), rounded.data(), nullptr);
          return {from_device(at_parameter, {count}), from_device(at_mean, {count}),
                  from_device(at_variance, {count}), from_device(rounded, {count})};
        });
        const bool is_moved = bad == 0;
        CHECK(same_bits(results[0], parameter.to(at::kFloat)) != is_moved);
        CHECK(same_bits(results[3], copy.to(type_on_host<TestType>())) != is_moved);
        const bool has_moments = rule == cuda::UpdateRule::kAdam;
        CHECK(same_bits(results[1], mean.to(at::kFloat)) != (is_moved && has_moments));
        CHECK(same_bits(results[2], variance.to(at::kFloat)) != (is_moved && has_moments));
      }
    }
  }
}

TEST_CASE("update: norm and scale of gradients are the CPU's", "[cuda]") {
  SKIP_WITHOUT_GPU();
  for (const int64_t count : {4, 1028, 2500000}) {
    for (const double max_norm : {0.0, 1.0, 1e9}) {
      for (const double loss_scale : {1.0, 65536.0}) {
        INFO(count << " gradients, clipped to " << max_norm << ", loss scale " << loss_scale);
        const auto gradients = random_values<float>({count}) * loss_scale;
        const auto at_gradients = on_device<float>(gradients);
        const StepNumbers got = numbers_of(at_gradients, 2.5f, max_norm, loss_scale),
                          again = numbers_of(at_gradients, 2.5f, max_norm, loss_scale);
        const double norm = gradients.norm().item<double>() / loss_scale;
        CHECK(got.loss == 2.5);
        CHECK(got.grad_norm == Approx(norm).epsilon(1e-6));
        CHECK(got.gradient_scale == Approx(clip_scale(norm, max_norm) / loss_scale).epsilon(1e-6));
        CHECK(got.is_finite == 1);
        CHECK(got.grad_norm == again.grad_norm);
        CHECK(got.gradient_scale == again.gradient_scale);
      }
    }
  }
}

TEST_CASE("update: the loss is the mean over the batch of all micro-batches", "[cuda]") {
  SKIP_WITHOUT_GPU();
  for (const int64_t count : {1, 12, 31, 300}) {
    INFO(count << " losses");
    const auto first = random_values<float>({count}), second = random_values<float>({count});
    const auto at_first = on_device<float>(first), at_second = on_device<float>(second);
    const auto numbers = poisoned<StepNumbers>(1);
    const float batch = 32;
    const auto part = on_device<float>(at::full({1}, 1 / batch));
    const double wanted = first.sum().item<double>() / batch, more = second.sum().item<double>() / batch;
    for (int time = 0; time < 2; ++time) {  // what was there before does not count
      cuda::add_losses(at_first.data(), count, part.data(), false, numbers.data(), nullptr);
      CHECK(value_from_device(numbers).loss == Approx(wanted).epsilon(1e-9).margin(1e-12));
      cuda::add_losses(at_second.data(), count, part.data(), true, numbers.data(), nullptr);
      CHECK(value_from_device(numbers).loss == Approx(wanted + more).epsilon(1e-9).margin(1e-12));
    }
  }
}

TEMPLATE_TEST_CASE("update: rounding is to the nearest, of halves to the even one", "[cuda]", float,
                   __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  const auto odd =
      at::tensor(std::vector<float>{0.0f, -0.0f, 1.00390625f, 1.01171875f, 1.00048828125f, 1.00146484375f,
                                    65504.0f, 65520.0f, -7e4f, 1e-7f, 3e-8f, 1e30f});
  for (const int64_t count : {4, 1024, 1028, 100000}) {
    INFO(count << " numbers");
    const auto values = at::cat({at::randn({count}), odd});
    const auto from = on_device<float>(values);
    const auto to = poisoned<TestType>(values.numel());
    cuda::round_to<TestType>(from.data(), values.numel(), to.data(), nullptr);
    CHECK(same_bits(from_device(to, values.sizes()), values.to(type_on_host<TestType>())));
  }
}

TEST_CASE("update: an average moves as the CPU's, and not where the step is not finite", "[cuda]") {
  SKIP_WITHOUT_GPU();
  for (const int64_t count : {4, 1028, 4300000}) {
    const auto parameters = random_values<float>({count}), average = random_values<float>({count});
    for (const bool is_finite : {true, false}) {
      const auto numbers = poisoned<StepNumbers>(1);
      StepNumbers finished;
      finished.is_finite = is_finite ? 1 : 0;
      cuda::check(cudaMemcpy(numbers.data(), &finished, sizeof finished, cudaMemcpyHostToDevice));
      const auto at_average = on_device<float>(average), at_parameters = on_device<float>(parameters);
      cuda::move_average(at_average.data(), at_parameters.data(), count, 0.25f, numbers.data(), nullptr);
      const auto wanted = is_finite ? average - 0.25 * (average - parameters) : average;
      check_close(from_device(at_average, {count}), wanted, 1e-6);
    }
  }
}

TEST_CASE("update: words are moved by their gradient over its norm, also where it lies", "[cuda]") {
  SKIP_WITHOUT_GPU();
  for (const int64_t count : {4, 1028, 4300000}) {
    const auto words = random_values<float>({count});
    for (const float size : {1e-6f, 1e6f, 0.0f, kInfinity, kNaN}) {
      INFO(count << " words, gradients of about " << size);
      const auto gradient = (random_values<float>({count}) * size).to(at::kFloat);
      const auto partial = poisoned<double>(cuda::kNormBlocks);
      const auto at_words = on_device<float>(words), moved = on_device<float>(gradient);
      cuda::attack_words(at_words.data(), moved.data(), count, partial.data(), moved.data(), nullptr);
      const bool is_moved = size > 0 && size < kInfinity;
      const auto wanted = is_moved ? words + gradient / gradient.to(at::kDouble).norm() : words;
      check_close(from_device(moved, {count}), wanted, 1e-6);
      CHECK(same_bits(from_device(at_words, {count}), words.to(at::kFloat)));
    }
  }
}
