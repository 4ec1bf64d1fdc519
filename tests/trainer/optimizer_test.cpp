#include "trainer/optimizer.h"

#include "tests/support/support.h"
#include "trainer/gradients.h"

using namespace expctl;

namespace {

using Values = std::vector<float>;

struct Step {
  Values weight_gradient, bias_gradient;
  double learning_rate;
};

const std::vector<Step> kSteps = {{{0.3f, -0.1f, 0.02f}, {1.0f, -2.0f}, 1e-2},
                                  {{-0.2f, 0.4f, 0.0f}, {0.5f, 0.5f}, 5e-3},
                                  {{3.0f, 1.0f, -2.0f}, {-0.25f, 4.0f}, 2e-3}};

/// A weight and a bias after each of the steps.
using Expected = std::vector<std::pair<Values, Values>>;

/// decay 0.1, betas (0.9, 0.98), epsilon 1e-6.
TrainSpec spec_of(const std::string& optimizer) {
  TrainSpec spec;
  spec.optimizer = optimizer;
  spec.weight_decay = 0.1;
  spec.adam_beta2 = 0.98;
  spec.adam_epsilon = 1e-6;
  return spec;
}

void check_steps(const TrainSpec& spec, double max_norm, const Expected& expected) {
  Parameters parameters{{"x.weight", torch::tensor(Values{0.5f, -1.25f, 2.0f})},
                        {"x.bias", torch::tensor(Values{0.1f, -0.3f})}};
  auto state = fresh_optimizer_state(spec, parameters);
  for (size_t n = 0; n < kSteps.size(); ++n) {
    parameters["x.weight"].mutable_grad() = torch::tensor(kSteps[n].weight_gradient);
    parameters["x.bias"].mutable_grad() = torch::tensor(kSteps[n].bias_gradient);
    const double scale = clip_scale(gradient_norm(parameters), max_norm);
    optimizer_step(parameters, state, spec, kSteps[n].learning_rate, static_cast<int64_t>(n) + 1, scale);
    INFO(spec.optimizer << ", step " << n + 1);
    for (const auto& [name, values] :
         {std::pair("x.weight", expected[n].first), std::pair("x.bias", expected[n].second)}) {
      for (size_t i = 0; i < values.size(); ++i) {
        CHECK(parameters[name][static_cast<int64_t>(i)].item<float>() == Approx(values[i]).epsilon(1e-6));
      }
    }
  }
}

}  // namespace

// Expected values: torch.optim of PyTorch 2.11, lr by step, decay 0.1 (weight) and 0 (bias); of LAMB, numpy.
TEST_CASE("optimizer: three steps of adamw are PyTorch's", "[trainer]") {
  check_steps(spec_of("adamw"), 0,
              {{{0.489500046f, -1.2387501f, 1.98800051f}, {0.090000011f, -0.290000021f}},
               {{0.488531351f, -1.24091637f, 1.98364019f}, {0.0853256285f, -0.287642658f}},
               {{0.48715049f, -1.24216688f, 1.98449862f}, {0.0841905102f, -0.288441747f}}});
}

TEST_CASE("optimizer: three steps of adamw clipped to the norm 1 are PyTorch's", "[trainer]") {
  check_steps(spec_of("adamw"), 1,
              {{{0.489500076f, -1.23875022f, 1.98800111f}, {0.0900000259f, -0.290000021f}},
               {{0.490499824f, -1.24144495f, 1.98364103f}, {0.0849963352f, -0.28891024f}},
               {{0.489394128f, -1.24265969f, 1.98448455f}, {0.08353284f, -0.289383084f}}});
}

TEST_CASE("optimizer: three steps of adam are PyTorch's, its decay going through the moments", "[trainer]") {
  check_steps(spec_of("adam"), 0,
              {{{0.490000039f, -1.24000001f, 1.99000001f}, {0.090000011f, -0.290000021f}},
               {{0.488393277f, -1.24076736f, 1.98501694f}, {0.0853256285f, -0.287642658f}},
               {{0.487076372f, -1.24203074f, 1.98601842f}, {0.0841905102f, -0.288441747f}}});
}

TEST_CASE("optimizer: three steps of sgd are PyTorch's without momentum, and it keeps nothing", "[trainer]") {
  check_steps(spec_of("sgd"), 0,
              {{{0.496499985f, -1.24775004f, 1.99779999f}, {0.0900000036f, -0.280000001f}},
               {{0.497251749f, -1.2491262f, 1.99680114f}, {0.087500006f, -0.282499999f}},
               {{0.491152287f, -1.25087643f, 2.00040174f}, {0.088000007f, -0.290499985f}}});
  CHECK(fresh_optimizer_state(spec_of("sgd"), {{"x", torch::ones({1})}}).mean.empty());
}

TEST_CASE("optimizer: three steps of lamb are numpy's, a bias without a trust ratio", "[trainer]") {
  check_steps(spec_of("lamb"), 0,
              {{{0.48702754f, -1.23610102f, 1.9851749f}, {0.09000001f, -0.290000005f}},
               {{0.484699467f, -1.24131733f, 1.97468578f}, {0.0853256309f, -0.287642655f}},
               {{0.481494095f, -1.24422152f, 1.97668379f}, {0.08419051f, -0.288441748f}}});
}

TEST_CASE("optimizer: without bias correction the first step is (1 - beta1) / sqrt(1 - beta2) of the rate",
          "[trainer]") {
  TrainSpec spec;
  spec.bias_correction = false;
  Parameters parameters{{"x.weight", torch::zeros({1})}};
  auto state = fresh_optimizer_state({}, parameters);
  parameters["x.weight"].mutable_grad() = torch::tensor(Values{2.0f});
  optimizer_step(parameters, state, spec, 1e-2, 1, 1.0);
  CHECK(parameters["x.weight"].item<float>() == Approx(-1e-2 * 0.1 / std::sqrt(0.001)).epsilon(1e-5));
}

TEST_CASE("optimizer: what has no gradient stays, and counts nothing in the norm", "[trainer]") {
  Parameters parameters{{"a.weight", torch::ones({2})}, {"b.weight", torch::ones({2})}};
  auto state = fresh_optimizer_state({}, parameters);
  parameters["a.weight"].mutable_grad() = torch::tensor(Values{3.0f, 4.0f});
  CHECK(gradient_norm(parameters) == Approx(5.0));
  optimizer_step(parameters, state, {}, 1e-2, 1, 1.0);
  CHECK(torch::equal(parameters["b.weight"], torch::ones({2})));
  CHECK_FALSE(torch::equal(parameters["a.weight"], torch::ones({2})));
}
