#include "trainer/train.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// `weights` become what is to be kept.
std::vector<StepMetrics> train(const SmallTraining& small, const TrainSpec& spec, Checkpoint& model,
                               Parameters* weights = nullptr) {
  std::vector<StepMetrics> steps;
  auto training = small.training(spec, model);
  REQUIRE(training.run({[&](const StepMetrics& m) { steps.push_back(m); }, never, {}}) == TrainEnd::kDone);
  if (weights != nullptr) *weights = training.weights();
  return steps;
}

/// Every technique at once.
TrainSpec spec_of_everything() {
  auto spec = small_spec();
  for (const char* setting : {"layerwise_lr_decay=0.8", "label_smoothing=0.1", "rdrop=1", "adversarial=fgm",
                              "ema_decay=0.9", "rdrop=2", "adversarial=fgm"})
    apply_setting(spec, setting);
  return spec;
}

bool same_bits(const Parameters& a, const Parameters& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           return torch::equal(entry.second, b.at(entry.first));
         });
}

}  // namespace

TEST_CASE("train: two micro-batches of 3 train as one batch of 6, dropout and all", "[trainer]") {
  const SmallTraining small;
  auto spec = GENERATE(small_spec(), spec_of_everything());
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
  const auto spec =
      GENERATE(small_spec(), spec_of_everything());  // 5 steps: the second epoch begins at step 4
  auto straight = small.model();
  Parameters weights;
  const auto all = train(small, spec, straight, &weights);
  REQUIRE(all.size() == 5);
  for (int64_t stop_at = 1; stop_at < 5; ++stop_at) {
    INFO("interrupted after step " << stop_at);
    const TempDir dir;
    {
      auto model = small.model();
      auto first = small.training(spec, model);
      REQUIRE(first.run({[](const StepMetrics&) {}, [&] { return first.step() == stop_at; }, {}}) ==
              TrainEnd::kTerminated);
      first.save(dir / "state", "this one");
    }
    auto model = small.model();
    auto second = small.training(spec, model);
    REQUIRE(second.load(dir / "state", "this one"));
    REQUIRE(second.step() == stop_at);
    std::vector<StepMetrics> rest;
    REQUIRE(second.run({[&](const StepMetrics& m) { rest.push_back(m); }, never, {}}) == TrainEnd::kDone);
    CHECK(same_bits(model.parameters, straight.parameters));
    CHECK(same_bits(second.weights(), weights));
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
  auto training = small.training(spec, model);
  CHECK_FALSE(training.load(dir / "missing", "a"));
  training.save(dir / "state", "a");
  CHECK_THROWS_WITH(training.load(dir / "state", "b"), Catch::Contains("of another training"));
  save_tensors(dir / "other", {{"parameter/x", torch::ones({1})}}, {{"step", "1"}, {"identity", "a"}});
  CHECK_THROWS_AS(training.load(dir / "other", "a"), Error);
}

TEST_CASE("train: a saved training says what it was computed in, and on what", "[trainer]") {
  const SmallTraining small;
  const TempDir dir;
  auto model = small.model();
  const auto spec = small_spec();
  CHECK_FALSE(saved_on(dir / "missing").has_value());
  small.training(spec, model, Precision::kFp32).save(dir / "fp32", "a");
  small.training(spec, model, Precision::kBf16).save(dir / "bf16", "a");
  CHECK(saved_on(dir / "fp32").value().precision == Precision::kFp32);
  CHECK(saved_on(dir / "bf16").value().precision == Precision::kBf16);
  CHECK(saved_on(dir / "bf16").value().machine == cpu_backend().machine());
}

TEST_CASE("train: every key of the training changes what comes out of it", "[trainer]") {
  const SmallTraining small;
  const auto trained = [&](const std::vector<std::string>& settings) {
    auto spec = small_spec();
    spec.warmup_ratio = 0.4;
    for (const auto& setting : settings) apply_setting(spec, setting);
    auto model = small.model();
    train(small, resolve(spec), model);
    return model.parameters;
  };
  const auto usual = trained({});
  CHECK(same_bits(usual, trained({})));
  for (const char* setting : {"max_steps=4",         "batch_size=7",          "learning_rate=2e-3",
                              "schedule=cosine",     "schedule=constant",     "warmup_ratio=0.2",
                              "optimizer=adam",      "optimizer=sgd",         "optimizer=lamb",
                              "weight_decay=0.5",    "adam_beta1=0.8",        "adam_beta2=0.9",
                              "adam_epsilon=1e-3",   "bias_correction=false", "layerwise_lr_decay=0.5",
                              "label_smoothing=0.1", "hidden_dropout=0.2",    "attention_dropout=0.2",
                              "seed_data=7",         "seed_dropout=7"}) {
    INFO(setting);
    CHECK(distance(usual, trained({setting})) > 1e-6);
  }
  // Adam's steps do not depend on the gradients' size, so clipping is seen with sgd.
  CHECK(distance(trained({"optimizer=sgd"}), trained({"optimizer=sgd", "max_grad_norm=0.01"})) > 1e-6);
  // epochs counts where max_steps does not.
  CHECK(distance(trained({"max_steps=0", "epochs=1"}), trained({"max_steps=0", "epochs=2"})) > 1e-6);
  CHECK(same_bits(usual, trained({"epochs=9"})));
}

TEST_CASE("train: each seed decides its own part", "[trainer]") {
  const SmallTraining small;
  const auto first_loss = [&](const std::string& setting, double dropout) {
    auto spec = small_spec();
    spec.max_steps = 1;
    spec.hidden_dropout = spec.attention_dropout = dropout;
    apply_setting(spec, setting);
    auto model = small.model();
    return train(small, spec, model)[0].loss;
  };
  // Which features the first batch has, and which of their elements are dropped.
  CHECK(first_loss("seed_data=1", 0) != first_loss("seed_data=2", 0));
  CHECK(first_loss("seed_dropout=1", 0.1) != first_loss("seed_dropout=2", 0.1));
  CHECK(first_loss("seed_dropout=1", 0) == first_loss("seed_dropout=2", 0));
  // seed_init makes the head, when the model is loaded.
  CHECK_FALSE(same_bits(load_checkpoint(small.folder.path(), 1).parameters,
                        load_checkpoint(small.folder.path(), 2).parameters));
}

TEST_CASE("train: the gradients that it shows are those of the loss", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.max_steps = 1;
  spec.optimizer = "sgd";
  spec.learning_rate = 1;
  spec.max_grad_norm = spec.weight_decay = 0;
  auto model = small.model();
  auto training = small.training(spec, model);
  Parameters seen;
  REQUIRE(training.run({[](const StepMetrics&) {}, never,
                        [&](int64_t step, const Parameters& gradients) {
                          CHECK(step == 1);
                          seen = gradients;
                        }}) == TrainEnd::kDone);
  const auto before = small.model().parameters;
  for (const auto& [name, gradient] : seen) {
    INFO(name);
    CHECK(torch::allclose(before.at(name) - gradient, model.parameters.at(name), 1e-5, 1e-6));
  }
  CHECK(seen.size() == before.size());
}

TEST_CASE("train: in fp16 the loss is scaled, and a step whose gradients overflow is left out", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  auto model = small.model(), exact = small.model();
  const auto fp32 = train(small, spec, exact);
  auto training = small.training(spec, model, Precision::kFp16);
  std::vector<StepMetrics> steps;
  const TrainingHooks hooks{[&](const StepMetrics& m) { steps.push_back(m); }, never, {}};
  REQUIRE(training.run(hooks) == TrainEnd::kDone);
  CHECK(steps[0].grad_norm == Approx(fp32[0].grad_norm).epsilon(1e-2));  // before rounding adds up
  for (size_t i = 0; i < steps.size(); ++i) CHECK(steps[i].loss == Approx(fp32[i].loss).epsilon(2e-2));

  // A saved scale that is far too large: the first steps overflow and only halve it.
  const TempDir dir;
  auto begun = small.model();
  auto state = fresh_optimizer_state(spec, begun.parameters);
  const LossScale large{std::ldexp(1.0, 40), 0};
  write_training_state(dir / "state", "a", {Precision::kFp16, ""}, {1, 0, large}, begun.parameters, state);
  auto overflowing = small.training(spec, begun, Precision::kFp16);
  REQUIRE(overflowing.load(dir / "state", "a"));
  steps.clear();
  REQUIRE(overflowing.run(hooks) == TrainEnd::kDone);
  REQUIRE(steps.size() == 4);
  for (const auto& step : steps) {
    CHECK_FALSE(std::isfinite(step.grad_norm));
    CHECK(step.learning_rate == 1e-3);  // as transformers: the schedule goes on with the updates made
  }
  CHECK(same_bits(begun.parameters, small.model().parameters));
  overflowing.save(dir / "state", "a");
  auto position = read_training_state(dir / "state", "a", begun.parameters, state).value();
  CHECK(position.loss_scale == LossScale{std::ldexp(1.0, 36), 0});
  CHECK(position.step == 5);
  CHECK(position.updates == 0);
}

TEST_CASE("train: weights that are no numbers after the last step are a divergence", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.max_steps = 1;
  auto model = small.model();
  auto training = small.training(spec, model);
  const auto end = training.run(
      {[&](const StepMetrics&) { model.parameters.at("qa_outputs.bias").fill_(NAN); }, never, {}});
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
  auto training = small.training(spec, model);
  CHECK(training.run({[](const StepMetrics&) { FAIL("a step"); }, never, {}}) == TrainEnd::kDiverged);
  CHECK(training.step() == 0);
}
