#include "trainer/adamw.h"

#include "tests/support/support.h"

using namespace expctl;

namespace {

using Values = std::vector<float>;

struct Step {
  Values weight_gradient, bias_gradient;
  double learning_rate;
  Values weight, bias;  ///< after the step
};

/// Runs the steps over a weight and a bias and compares with what PyTorch had after each.
void check_against_torch(const std::vector<Step>& steps, double max_norm) {
  TrainSpec spec;
  spec.weight_decay = 0.1;
  spec.adam_beta2 = 0.98;
  spec.adam_epsilon = 1e-6;
  Parameters parameters{{"x.weight", torch::tensor(Values{0.5f, -1.25f, 2.0f})},
                        {"x.bias", torch::tensor(Values{0.1f, -0.3f})}};
  auto state = fresh_adam_state(parameters);
  int64_t number = 0;
  for (const auto& step : steps) {
    parameters["x.weight"].mutable_grad() = torch::tensor(step.weight_gradient);
    parameters["x.bias"].mutable_grad() = torch::tensor(step.bias_gradient);
    const double scale = clip_scale(gradient_norm(parameters), max_norm);
    adamw_step(parameters, state, spec, step.learning_rate, ++number, scale);
    INFO("step " << number);
    for (size_t i = 0; i < 3; ++i)
      CHECK(parameters["x.weight"][static_cast<int64_t>(i)].item<float>() ==
            Approx(step.weight[i]).epsilon(1e-6));
    for (size_t i = 0; i < 2; ++i)
      CHECK(parameters["x.bias"][static_cast<int64_t>(i)].item<float>() ==
            Approx(step.bias[i]).epsilon(1e-6));
  }
}

}  // namespace

// Expected values: torch.optim.AdamW of PyTorch 2.11, lr by step, betas (0.9, 0.98), eps 1e-6, decay 0.1
// (weight) and 0 (bias).
TEST_CASE("adamw: three steps are PyTorch's", "[trainer]") {
  check_against_torch({{{0.3f, -0.1f, 0.02f},
                        {1.0f, -2.0f},
                        1e-2,
                        {0.489500046f, -1.2387501f, 1.98800051f},
                        {0.090000011f, -0.290000021f}},
                       {{-0.2f, 0.4f, 0.0f},
                        {0.5f, 0.5f},
                        5e-3,
                        {0.488531351f, -1.24091637f, 1.98364019f},
                        {0.0853256285f, -0.287642658f}},
                       {{3.0f, 1.0f, -2.0f},
                        {-0.25f, 4.0f},
                        2e-3,
                        {0.48715049f, -1.24216688f, 1.98449862f},
                        {0.0841905102f, -0.288441747f}}},
                      0.0);
}

TEST_CASE("adamw: three steps clipped to the norm 1 are PyTorch's", "[trainer]") {
  check_against_torch({{{0.3f, -0.1f, 0.02f},
                        {1.0f, -2.0f},
                        1e-2,
                        {0.489500076f, -1.23875022f, 1.98800111f},
                        {0.0900000259f, -0.290000021f}},
                       {{-0.2f, 0.4f, 0.0f},
                        {0.5f, 0.5f},
                        5e-3,
                        {0.490499824f, -1.24144495f, 1.98364103f},
                        {0.0849963352f, -0.28891024f}},
                       {{3.0f, 1.0f, -2.0f},
                        {-0.25f, 4.0f},
                        2e-3,
                        {0.489394128f, -1.24265969f, 1.98448455f},
                        {0.08353284f, -0.289383084f}}},
                      1.0);
}

TEST_CASE("adamw: without bias correction the first step is (1 - beta1) / sqrt(1 - beta2) of the rate",
          "[trainer]") {
  TrainSpec spec;
  spec.bias_correction = false;
  Parameters parameters{{"x.weight", torch::zeros({1})}};
  auto state = fresh_adam_state(parameters);
  parameters["x.weight"].mutable_grad() = torch::tensor(Values{2.0f});
  adamw_step(parameters, state, spec, 1e-2, 1, 1.0);
  CHECK(parameters["x.weight"].item<float>() == Approx(-1e-2 * 0.1 / std::sqrt(0.001)).epsilon(1e-5));
}

TEST_CASE("adamw: what has no gradient stays, and counts nothing in the norm", "[trainer]") {
  Parameters parameters{{"a.weight", torch::ones({2})}, {"b.weight", torch::ones({2})}};
  auto state = fresh_adam_state(parameters);
  parameters["a.weight"].mutable_grad() = torch::tensor(Values{3.0f, 4.0f});
  CHECK(gradient_norm(parameters) == Approx(5.0));
  adamw_step(parameters, state, {}, 1e-2, 1, 1.0);
  CHECK(torch::equal(parameters["b.weight"], torch::ones({2})));
  CHECK_FALSE(torch::equal(parameters["a.weight"], torch::ones({2})));
}

TEST_CASE("adamw: clipping scales only what is above the limit, and 0 is no limit", "[trainer]") {
  CHECK(clip_scale(0.5, 1.0) == 1.0);
  CHECK(clip_scale(4.0, 1.0) == Approx(0.25).epsilon(1e-6));
  CHECK(clip_scale(4.0, 0.0) == 1.0);
}
