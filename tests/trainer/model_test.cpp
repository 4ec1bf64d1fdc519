#include "trainer/model.h"

#include <cmath>

#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("model: sequences packed together do not see each other, dropout or not", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  const std::vector<int64_t> chosen{4, 0, 7};
  for (const double rate : {0.0, 0.1}) {
    ForwardOptions options;
    options.hidden_dropout = options.attention_dropout = rate;
    options.dropout = {9, 2};
    const auto together = forward(model.parameters, model.config, pack(small.features, chosen, 5), options);
    int64_t row = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto batch = pack(small.features, {chosen[i]}, 5 + static_cast<int64_t>(i));
      const auto alone = forward(model.parameters, model.config, batch, options);
      CHECK(torch::allclose(alone, together.slice(0, row, row + batch.lengths[0]), 1e-4, 1e-5));
      row += batch.lengths[0];
    }
    CHECK(row == together.size(0));
  }
}

TEST_CASE("model: dropout's masks are of the step and the place in the batch", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  const auto logits = [&](double hidden, double attention, int64_t step, int64_t place) {
    ForwardOptions options;
    options.hidden_dropout = hidden;
    options.attention_dropout = attention;
    options.dropout = {9, step};
    return forward(model.parameters, model.config, pack(small.features, {0}, place), options);
  };
  CHECK(torch::equal(logits(0.1, 0.1, 2, 0), logits(0.1, 0.1, 2, 0)));
  CHECK_FALSE(torch::allclose(logits(0.1, 0.1, 2, 0), logits(0.1, 0.1, 3, 0)));
  CHECK_FALSE(torch::allclose(logits(0.1, 0.1, 2, 0), logits(0.1, 0.1, 2, 1)));
  CHECK_FALSE(torch::allclose(logits(0.1, 0, 2, 0), logits(0, 0, 2, 0)));
  CHECK_FALSE(torch::allclose(logits(0, 0.1, 2, 0), logits(0, 0, 2, 0)));
  CHECK(torch::equal(logits(0, 0, 2, 0), logits(0, 0, 3, 1)));
}

TEST_CASE("model: a pack holds ids, types and positions of each sequence", "[trainer]") {
  Feature a, b;
  a.input_ids = {2, 7, 3, 8, 3};
  a.context_begin = 3;
  b.input_ids = {2, 3, 9};
  b.context_begin = 2;
  const auto batch = pack({a, b}, {1, 0}, 4);
  CHECK(torch::equal(batch.input_ids, torch::tensor({2, 3, 9, 2, 7, 3, 8, 3}, torch::kLong)));
  CHECK(torch::equal(batch.token_types, torch::tensor({0, 0, 1, 0, 0, 0, 1, 1}, torch::kLong)));
  CHECK(torch::equal(batch.positions, torch::tensor({0, 1, 2, 0, 1, 2, 3, 4}, torch::kLong)));
  CHECK(batch.lengths == std::vector<int64_t>{3, 5});
  CHECK(batch.sequences == std::vector<int64_t>{4, 5});
}

TEST_CASE("model: the loss is the mean of both ends' cross-entropy over real tokens, summed over sequences",
          "[trainer]") {
  const double e = std::exp(1.0);
  const auto logits =
      torch::tensor({1.0f, 0.0f, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}).slice(0, 0, 4).view({2, 2});
  // Start logits 1, 0 and target 0; end logits 0, 1 and target 0.
  const double start = std::log(1 + e) - 1, end = std::log(1 + e);
  CHECK(loss_sum(logits, {2}, {0}, {0}).item<double>() == Approx((start + end) / 2));
  const auto two = torch::cat({logits, torch::zeros({4, 2})});
  CHECK(loss_sum(two, {2, 4}, {0, 3}, {0, 3}).item<double>() == Approx((start + end) / 2 + std::log(4.0)));
}

TEST_CASE("model: label positions are clamped as transformers clamps them", "[trainer]") {
  const auto logits = torch::tensor({{0.5f, -1.0f}, {2.0f, 0.25f}, {-0.5f, 1.5f}}, torch::requires_grad());
  const auto loss = [&](int64_t start, int64_t end) { return loss_sum(logits, {3}, {start}, {end}); };
  CHECK(torch::equal(loss(-4, 2), loss(0, 2)));
  // Past the end a position is left out: what remains is half of the other's cross-entropy.
  const auto ends = at::log_softmax(logits.select(1, 1), 0);
  CHECK(loss(3, 1).item<float>() == Approx(-ends[1].item<float>() / 2));
  CHECK(torch::equal(loss(9, 1), loss(3, 1)));
  CHECK(loss(3, 7).item<float>() == 0.0f);
}

TEST_CASE("model: gradients are the slopes of the loss", "[trainer]") {
  const SmallTraining small;
  auto model = small.model();
  const auto batch = pack(small.features, {0, 3}, 0);
  ForwardOptions options;
  options.hidden_dropout = options.attention_dropout = 0.1;
  const auto loss = [&] {
    return loss_sum(forward(model.parameters, model.config, batch, options), batch.lengths,
                    {small.features[0].start_position, small.features[3].start_position},
                    {small.features[0].end_position, small.features[3].end_position});
  };
  for (auto& [name, parameter] : model.parameters) parameter.requires_grad_(true);
  loss().backward();
  torch::NoGradGuard no_grad;
  for (auto& [name, parameter] : model.parameters) {
    REQUIRE(parameter.grad().defined());
    const double norm = parameter.grad().norm().item<double>();
    if (name.find("layer.0.") != std::string::npos) continue;  // as the other layer
    if (norm < 1e-3) continue;  // a key's bias: below what fp32 differences show
    const auto direction = parameter.grad() / norm;
    const double width = 2e-3;
    parameter += width * direction;
    const auto above = loss().item<double>();
    parameter -= 2 * width * direction;
    const auto below = loss().item<double>();
    parameter += width * direction;
    INFO(name);
    CHECK((above - below) / (2 * width) == Approx(norm).epsilon(0.03).margin(2e-3));
  }
}
