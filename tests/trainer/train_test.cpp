#include "trainer/train.h"

#include <algorithm>

#include "core/error.h"
#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

namespace {

bool never() {
  return false;
}

std::vector<StepMetrics> train(const SmallTraining& small, const TrainSpec& spec, Checkpoint& model) {
  std::vector<StepMetrics> steps;
  Training training(spec, false, model, small.features);
  REQUIRE(training.run([&](const StepMetrics& m) { steps.push_back(m); }, never) == TrainEnd::kDone);
  return steps;
}

/// The largest difference of any parameter.
double distance(const Parameters& a, const Parameters& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a)
    largest = std::max(largest, (tensor - b.at(name)).abs().max().item<double>());
  return largest;
}

bool same_bits(const Parameters& a, const Parameters& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           return torch::equal(entry.second, b.at(entry.first));
         });
}

}  // namespace

TEST_CASE("train: the order of an epoch is a permutation, of the seed and the epoch alone", "[trainer]") {
  auto order = epoch_order(1, 0, 50);
  CHECK(order == epoch_order(1, 0, 50));
  CHECK(order != epoch_order(1, 1, 50));
  CHECK(order != epoch_order(2, 0, 50));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 50; ++i) REQUIRE(order[static_cast<size_t>(i)] == i);
}

TEST_CASE("train: two micro-batches of 3 train as one batch of 6, dropout and all", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  // Adam divides by the gradient's own size: with a tiny epsilon it would blow the rounding of vanishing
  // gradients up.
  spec.adam_epsilon = 1e-3;
  auto whole = small.model(), parts = small.model();
  REQUIRE(spec.micro_batch == 6);
  const auto a = train(small, spec, whole);
  spec.micro_batch = 3;
  const auto b = train(small, spec, parts);
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].loss == Approx(b[i].loss).margin(1e-6));
    CHECK(a[i].grad_norm == Approx(b[i].grad_norm).epsilon(1e-5));
  }
  CHECK(distance(whole.parameters, small.model().parameters) > 1e-4);
  CHECK(distance(whole.parameters, parts.parameters) < 1e-6);
}

TEST_CASE("train: interrupted at any step and taken up again, it ends with the same bits", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();  // 5 steps: the second epoch begins at step 4
  auto straight = small.model();
  const auto all = train(small, spec, straight);
  REQUIRE(all.size() == 5);
  for (int64_t stop_at = 1; stop_at < 5; ++stop_at) {
    INFO("interrupted after step " << stop_at);
    const TempDir dir;
    {
      auto model = small.model();
      Training first(spec, false, model, small.features);
      REQUIRE(first.run([](const StepMetrics&) {}, [&] { return first.step() == stop_at; }) ==
              TrainEnd::kTerminated);
      first.save(dir / "state", "this one");
    }
    auto model = small.model();
    Training second(spec, false, model, small.features);
    REQUIRE(second.load(dir / "state", "this one"));
    REQUIRE(second.step() == stop_at);
    std::vector<StepMetrics> rest;
    REQUIRE(second.run([&](const StepMetrics& m) { rest.push_back(m); }, never) == TrainEnd::kDone);
    CHECK(same_bits(model.parameters, straight.parameters));
    REQUIRE(rest.size() == static_cast<size_t>(5 - stop_at));
    CHECK(rest[0].loss == all[static_cast<size_t>(stop_at)].loss);
  }
}

TEST_CASE("train: a state of another training or another model is refused, a missing one is no error",
          "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  const TempDir dir;
  auto model = small.model();
  Training training(spec, false, model, small.features);
  CHECK_FALSE(training.load(dir / "missing", "a"));
  training.save(dir / "state", "a");
  CHECK_THROWS_WITH(training.load(dir / "state", "b"), Catch::Contains("of another training"));
  save_tensors(dir / "other", {{"parameter/x", torch::ones({1})}}, {{"step", "1"}, {"identity", "a"}});
  CHECK_THROWS_AS(training.load(dir / "other", "a"), Error);
}

TEST_CASE("train: a saved training says what it was computed in", "[trainer]") {
  const SmallTraining small;
  const TempDir dir;
  auto model = small.model();
  const auto spec = small_spec();
  CHECK_FALSE(Training::saved_bf16(dir / "missing").has_value());
  Training(spec, false, model, small.features).save(dir / "fp32", "a");
  Training(spec, true, model, small.features).save(dir / "bf16", "a");
  CHECK(Training::saved_bf16(dir / "fp32") == std::optional(false));
  CHECK(Training::saved_bf16(dir / "bf16") == std::optional(true));
}

TEST_CASE("train: weights that are no numbers after the last step are a divergence", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.max_steps = 1;
  auto model = small.model();
  Training training(spec, false, model, small.features);
  const auto end = training.run(
      [&](const StepMetrics&) { model.parameters.at("qa_outputs.bias").fill_(NAN); }, [] { return false; });
  CHECK(end == TrainEnd::kDiverged);
}

TEST_CASE("train: what a step reports", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  auto model = small.model();
  const auto steps = train(small, spec, model);
  REQUIRE(small.features.size() == 14);
  const double epochs[] = {6.0 / 14, 12.0 / 14, 1.0, 1 + 6.0 / 14, 1 + 12.0 / 14};
  int64_t tokens = 0, of_features = 0;
  for (size_t i = 0; i < 5; ++i) {
    CHECK(steps[i].step == static_cast<int64_t>(i) + 1);
    CHECK(steps[i].epoch == Approx(epochs[i]));
    CHECK(steps[i].learning_rate == Approx(1e-3 * (1.0 - static_cast<double>(i) / 5)));
    CHECK(steps[i].grad_norm > 0);
    if (i < 3) tokens += steps[i].tokens;
  }
  for (const auto& feature : small.features) of_features += static_cast<int64_t>(feature.input_ids.size());
  CHECK(tokens == of_features);
}

TEST_CASE("train: the loss falls on data that it sees again and again", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.max_steps = 42;  // 14 epochs of 3
  spec.learning_rate = 3e-3;
  spec.hidden_dropout = spec.attention_dropout = 0;
  auto model = small.model();
  const auto steps = train(small, spec, model);
  const auto epoch_loss = [&](size_t first) {
    return steps[first].loss + steps[first + 1].loss + steps[first + 2].loss;
  };
  CHECK(epoch_loss(39) < 0.8 * epoch_loss(0));
}

TEST_CASE("train: a loss that is no number ends the training before a step is taken", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  auto model = small.model();
  model.parameters["qa_outputs.bias"].fill_(std::numeric_limits<float>::quiet_NaN());
  Training training(spec, false, model, small.features);
  CHECK(training.run([](const StepMetrics&) { FAIL("a step"); }, never) == TrainEnd::kDiverged);
  CHECK(training.step() == 0);
}
