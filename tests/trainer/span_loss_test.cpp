#include "trainer/span_loss.h"

#include <torch/torch.h>

#include <cmath>

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("span loss: the mean of both ends' cross-entropy over real tokens, summed over sequences",
          "[trainer]") {
  const double e = std::exp(1.0);
  // Start logits 1, 0 and target 0; end logits 0, 1 and target 0.
  const std::vector<float> logits{1, 0, 0, 1};
  const double start = std::log(1 + e) - 1, end = std::log(1 + e);
  CHECK(span_loss(logits, {2}, {{0}, {0}}).sum == Approx((start + end) / 2));
  std::vector<float> two = logits;
  two.resize(12);
  CHECK(span_loss(two, {2, 4}, {{0, 3}, {0, 3}}).sum == Approx((start + end) / 2 + std::log(4.0)));
}

TEST_CASE("span loss: it and its gradient are PyTorch's, with labels smoothed or not", "[trainer]") {
  torch::manual_seed(3);
  for (const double smoothing : {0.0, 0.1, 0.9}) {
    INFO("label_smoothing " << smoothing);
    auto logits = (3 * torch::randn({7, 2}, torch::kDouble)).requires_grad_(true);
    const auto pieces = logits.split_with_sizes({3, 4}, 0);
    auto loss = torch::zeros({}, torch::kDouble);
    const std::vector<std::vector<int64_t>> labels{{1, 2}, {0, 3}};
    for (size_t s = 0; s < 2; ++s)
      loss = loss + at::cross_entropy_loss(pieces[s].t(), torch::tensor(labels[s]), {}, at::Reduction::Sum,
                                           -100, smoothing) /
                        2;
    loss.backward();
    const auto given = logits.detach().to(torch::kFloat);
    const auto got = span_loss({given.data_ptr<float>(), given.data_ptr<float>() + 14}, {3, 4},
                               {{1, 0}, {2, 3}, smoothing});
    CHECK(got.sum == Approx(loss.item<double>()).epsilon(1e-6));
    for (int64_t i = 0; i < 14; ++i)
      CHECK(got.gradient[static_cast<size_t>(i)] ==
            Approx(logits.grad().view({-1})[i].item<double>()).margin(1e-6));
  }
}

TEST_CASE("span loss: label positions are clamped as transformers clamps them", "[trainer]") {
  const std::vector<float> logits{0.5f, -1.0f, 2.0f, 0.25f, -0.5f, 1.5f};
  const auto loss = [&](int64_t start, int64_t end) { return span_loss(logits, {3}, {{start}, {end}}); };
  CHECK(loss(-4, 2).sum == loss(0, 2).sum);
  // Past the end a position is left out: what remains is half of the other's cross-entropy.
  const double ends = std::log(std::exp(-1.0) + std::exp(0.25) + std::exp(1.5));
  CHECK(loss(3, 1).sum == Approx((ends - 0.25) / 2));
  CHECK(loss(9, 1).gradient == loss(3, 1).gradient);
  CHECK(loss(9, 1).gradient[0] == 0.0f);
  CHECK(loss(3, 7).sum == 0.0);
}

TEST_CASE("span loss: with a teacher it is the weighted sum of both cross-entropies, as PyTorch has them",
          "[trainer]") {
  torch::manual_seed(4);
  const auto teacher = (2 * torch::randn({7, 2})).contiguous();
  const std::vector<float> of_teacher{teacher.data_ptr<float>(), teacher.data_ptr<float>() + 14};
  for (const double part : {0.3, 1.0}) {
    INFO("distillation " << part);
    auto logits = (3 * torch::randn({7, 2}, torch::kDouble)).requires_grad_(true);
    const std::vector<std::vector<int64_t>> labels{{1, 2}, {0, 4}};  // the last one past its sequence's end
    auto loss = torch::zeros({}, torch::kDouble);
    int64_t first = 0;
    for (size_t s = 0; s < 2; ++s) {
      const int64_t length = s == 0 ? 3 : 4;
      for (const int64_t end : {0, 1}) {
        const auto of = [&](const torch::Tensor& all) {
          return all.select(1, end).slice(0, first, first + length).to(torch::kDouble).unsqueeze(0);
        };
        const int64_t label = labels[s][static_cast<size_t>(end)];
        if (label < length)
          loss = loss + (1 - part) / 2 *
                            at::cross_entropy_loss(of(logits), torch::tensor({label}), {}, at::Reduction::Sum,
                                                   -100, 0.1);
        loss = loss +
               part / 2 * at::cross_entropy_loss(of(logits), of(teacher).softmax(1), {}, at::Reduction::Sum);
      }
      first += length;
    }
    loss.backward();
    const auto given = logits.detach().to(torch::kFloat);
    const auto got = span_loss({given.data_ptr<float>(), given.data_ptr<float>() + 14}, {3, 4},
                               {{1, 0}, {2, 4}, 0.1, part, of_teacher});
    CHECK(got.sum == Approx(loss.item<double>()).epsilon(1e-6));
    for (int64_t i = 0; i < 14; ++i)
      CHECK(got.gradient[static_cast<size_t>(i)] ==
            Approx(logits.grad().view({-1})[i].item<double>()).margin(1e-6));
  }
}
