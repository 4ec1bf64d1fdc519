#include "trainer/rdrop.h"

#include "tests/trainer/small_training.h"
#include "trainer/cpu_engine.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("rdrop: the loss and its gradient are those of PyTorch's functions", "[trainer]") {
  torch::manual_seed(5);
  const std::vector<int64_t> lengths{3, 4};
  const std::vector<std::vector<int64_t>> labels{{1, 0}, {2, 3}};  // starts, ends
  for (const double smoothing : {0.0, 0.1}) {
    for (const double weight : {0.0, 0.5, 4.0}) {
      INFO("smoothing " << smoothing << ", weight " << weight);
      auto logits = (3 * torch::randn({14, 2}, torch::kDouble)).requires_grad_(true);
      auto loss = torch::zeros({}, torch::kDouble);
      int64_t first = 0;
      for (size_t s = 0; s < 2; ++s) {
        for (const int64_t end : {0, 1}) {
          const auto one = logits.select(1, end).slice(0, first, first + lengths[s]);
          const auto two = logits.select(1, end).slice(0, 7 + first, 7 + first + lengths[s]);
          const auto label = torch::tensor({labels[static_cast<size_t>(end)][s]});
          const auto entropy = [&](const torch::Tensor& of) {
            return at::cross_entropy_loss(of.unsqueeze(0), label, {}, at::Reduction::Sum, -100, smoothing);
          };
          const auto p = one.log_softmax(0), q = two.log_softmax(0);
          // kl_div(a, b) is KL(b || a).
          const auto both =
              at::kl_div(q, p, at::Reduction::Sum, true) + at::kl_div(p, q, at::Reduction::Sum, true);
          loss = loss + 0.5 * ((entropy(one) + entropy(two)) / 2 + weight / 2 * both);
        }
        first += lengths[s];
      }
      loss.backward();
      const auto given = logits.detach().to(torch::kFloat);
      const auto got = rdrop_loss({given.data_ptr<float>(), given.data_ptr<float>() + 28}, lengths,
                                  {labels[0], labels[1], smoothing}, weight);
      CHECK(got.sum == Approx(loss.item<double>()).epsilon(1e-6));
      REQUIRE(got.gradient.size() == 28);
      for (int64_t i = 0; i < 28; ++i)
        CHECK(got.gradient[static_cast<size_t>(i)] ==
              Approx(logits.grad().view({-1})[i].item<double>()).margin(2e-6));
    }
  }
}

TEST_CASE("rdrop: two passes that agree have the loss of one", "[trainer]") {
  const std::vector<float> logits{0.5f, -1.0f, 2.0f, 0.25f, -0.5f, 1.5f};
  std::vector<float> twice = logits;
  twice.insert(twice.end(), logits.begin(), logits.end());
  const auto once = span_loss(logits, {3}, {{1}, {2}});
  const auto got = rdrop_loss(twice, {3}, {{1}, {2}}, 4);
  CHECK(got.sum == Approx(once.sum));
  for (size_t i = 0; i < 12; ++i) CHECK(got.gradient[i] == Approx(once.gradient[i % 6] / 2).margin(1e-7));
}

// The masks are held as they are: of one step, in both passes.
TEST_CASE("rdrop: gradients of a step are the slopes of its loss, dropout and all", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.optimizer = "sgd";
  spec.weight_decay = 0;
  spec.rdrop = 3;
  spec.label_smoothing = 0.1;
  Checkpoint model = small.model();
  auto state = fresh_optimizer_state(spec, model.parameters);
  CpuEngine engine(spec, Precision::kFp32, model, state, {small.features}, small.rank);
  const auto loss_now = [&] {
    StepOrder order;
    order.batch = {0, 3, 7};
    order.step = 2;
    order.learning_rate = 0;  // it moves nothing
    engine.begin(order);
    return engine.finish().loss;
  };
  spec.rdrop = 0;
  const double without = loss_now();
  spec.rdrop = 3;
  CHECK(loss_now() > without + 1e-3);  // the two passes differ
  Parameters gradients;
  for (const auto& [name, gradient] : engine.gradients()) gradients[name] = gradient.clone();
  int checked = 0;
  for (auto& [name, parameter] : model.parameters) {
    const double norm = gradients.at(name).norm().item<double>();
    if (norm < 1e-2) continue;  // below what fp32 differences show
    const auto direction = gradients.at(name) / norm;
    const double width = 2e-3;
    parameter += width * direction;
    const double above = loss_now();
    parameter -= 2 * width * direction;
    const double below = loss_now();
    parameter += width * direction;
    INFO(name);
    CHECK((above - below) / (2 * width) == Approx(norm).epsilon(0.03).margin(2e-3));
    ++checked;
  }
  CHECK(checked > 10);
}
