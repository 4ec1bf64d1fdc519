#include "trainer/optimizer.h"

#include "tests/support/support.h"
#include "trainer/gradients.h"

using namespace expctl;

namespace {

constexpr int64_t kLayers = 1;

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
  Gradients gradients(parameters);
  for (size_t n = 0; n < kSteps.size(); ++n) {
    gradients.values().at("x.weight").copy_(torch::tensor(kSteps[n].weight_gradient));
    gradients.values().at("x.bias").copy_(torch::tensor(kSteps[n].bias_gradient));
    const double scale = clip_scale(gradient_norm(gradients), max_norm);
    optimizer_step(parameters, state, gradients, spec, kLayers, kSteps[n].learning_rate,
                   static_cast<int64_t>(n) + 1, scale);
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
  Gradients gradients(parameters);
  gradients.data("x.weight")[0] = 2.0f;
  optimizer_step(parameters, state, gradients, spec, kLayers, 1e-2, 1, 1.0);
  CHECK(parameters["x.weight"].item<float>() == Approx(-1e-2 * 0.1 / std::sqrt(0.001)).epsilon(1e-5));
}

TEST_CASE("optimizer: leaving out words that have never moved changes nothing", "[trainer]") {
  const auto begin = torch::arange(12, torch::kFloat).view({6, 2});
  Parameters sparse{{kWordEmbeddings, begin.clone()}};
  Parameters dense{{"another.weight", begin.clone()}};  // updated whole
  const TrainSpec spec;
  auto sparse_state = fresh_optimizer_state(spec, sparse), dense_state = fresh_optimizer_state(spec, dense);
  Gradients sparse_gradients(sparse), dense_gradients(dense);
  int64_t step = 0;
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{4, 1}, {1}, {}, {5}}) {
    sparse_gradients.clear();
    dense_gradients.values().at("another.weight").zero_();
    for (const int64_t row : rows) {
      for (int64_t i = 2 * row; i < 2 * row + 2; ++i)
        sparse_gradients.data(kWordEmbeddings)[i] = dense_gradients.data("another.weight")[i] =
            0.1f * static_cast<float>(i + 1);
    }
    sparse_gradients.mark_added(rows);
    ++step;
    optimizer_step(sparse, sparse_state, sparse_gradients, spec, kLayers, 1e-2, step, 0.5);
    optimizer_step(dense, dense_state, dense_gradients, spec, kLayers, 1e-2, step, 0.5);
    CHECK(torch::equal(sparse[kWordEmbeddings], dense["another.weight"]));
  }
  CHECK(sparse_state.moved_words == std::vector<int64_t>{1, 4, 5});
  CHECK(find_moved_words(sparse_state) == sparse_state.moved_words);
  CHECK(torch::equal(sparse[kWordEmbeddings][0], begin[0]));
}

TEST_CASE("optimizer: decay moves every word", "[trainer]") {
  TrainSpec spec;
  spec.weight_decay = 0.1;
  Parameters parameters{{kWordEmbeddings, torch::ones({3, 2})}};
  auto state = fresh_optimizer_state(spec, parameters);
  Gradients gradients(parameters);
  gradients.data(kWordEmbeddings)[0] = 1.0f;
  gradients.mark_added({0});
  optimizer_step(parameters, state, gradients, spec, kLayers, 1e-2, 1, 1.0);
  CHECK(parameters[kWordEmbeddings][2][0].item<float>() == Approx(1 - 1e-3));
}
