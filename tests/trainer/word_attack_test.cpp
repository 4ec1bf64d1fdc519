#include "trainer/word_attack.h"

#include <cmath>
#include <limits>

#include "tests/trainer/small_training.h"
#include "trainer/cpu_engine.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("word attack: rows are moved by g over its norm, and have their bits again afterwards",
          "[trainer]") {
  const auto words = torch::randn({5, 3}, torch::TensorOptions()) * 1e3;
  const auto before = words.clone();
  const std::vector<float> gradient{1e-6f, 2e-6f, 0, -2e-6f, 4e-6f, 0};  // of rows 1 and 4: norm 5e-6
  {
    const WordAttack attack(words, {1, 4}, gradient);
    auto wanted = before.clone();
    wanted[1] += torch::tensor({0.2f, 0.4f, 0.0f});
    wanted[4] += torch::tensor({-0.4f, 0.8f, 0.0f});
    CHECK(torch::allclose(words, wanted, 0, 1e-4));
    CHECK(torch::equal(words[0], before[0]));
    CHECK_FALSE(torch::equal(words[1], before[1]));
  }
  CHECK(torch::equal(words, before));
}

TEST_CASE("word attack: a gradient of zero, or one that is not finite, moves nothing", "[trainer]") {
  const auto words = torch::ones({2, 2});
  for (const float bad : {0.0f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    const WordAttack attack(words, {1}, {0, bad});
    CHECK(torch::equal(words, torch::ones({2, 2})));
  }
}

namespace {

/// The gradients of a step of these features, dropout and all, and its loss.
struct Step {
  Parameters gradients;
  StepOutcome outcome;
};

Step step_of(const SmallTraining& small, const TrainSpec& spec, Checkpoint& model,
             const std::vector<int64_t>& batch) {
  auto state = fresh_optimizer_state(spec, model.parameters);
  CpuEngine engine(spec, Precision::kFp32, model, state, {small.features}, small.rank);
  StepOrder order;
  order.batch = batch;
  order.step = 4;
  order.learning_rate = 0;
  engine.begin(order);
  Step step{{}, engine.finish()};
  for (const auto& [name, gradient] : engine.gradients()) step.gradients[name] = gradient.clone();
  return step;
}

TrainSpec still_spec(const std::string& adversarial) {
  auto spec = small_spec();
  spec.optimizer = "sgd";
  spec.weight_decay = 0;
  spec.adversarial = adversarial;
  return spec;
}

}  // namespace

TEST_CASE("word attack: a step's gradients are the clean ones and those at the moved words", "[trainer]") {
  const SmallTraining small;
  const std::vector<int64_t> batch{4, 9, 0, 7};
  auto model = small.model();
  const auto before = small.model().parameters;
  auto attacked = still_spec("fgm"), plain = still_spec("none");
  for (auto* spec : {&attacked, &plain}) {
    spec->hidden_dropout = spec->attention_dropout = 0;
    spec->micro_batch = 3;
  }
  const Step got = step_of(small, attacked, model, batch);
  for (const auto& [name, tensor] : model.parameters) CHECK(torch::equal(tensor, before.at(name)));

  const Step clean = step_of(small, plain, model, batch);
  auto& words = model.parameters.at(kWordEmbeddings);
  const auto& gradient = clean.gradients.at(kWordEmbeddings);
  words += gradient / gradient.norm();
  const Step moved = step_of(small, plain, model, batch);
  CHECK(got.outcome.loss == clean.outcome.loss);
  CHECK(moved.outcome.loss > clean.outcome.loss);
  for (const auto& [name, tensor] : got.gradients) {
    INFO(name);
    CHECK(torch::allclose(tensor, clean.gradients.at(name) + moved.gradients.at(name), 1e-4, 1e-6));
  }
}

TEST_CASE("word attack: the second pass has masks of its own", "[trainer]") {
  const SmallTraining small;
  const std::vector<int64_t> batch{4, 9};
  auto model = small.model();
  auto attacked = still_spec("fgm");
  attacked.attention_dropout = 0.2;
  const Step got = step_of(small, attacked, model, batch);

  const auto cpu_model = make_cpu_model(model.config, Precision::kFp32);
  const ForwardOptions options{
      attacked.hidden_dropout, attacked.attention_dropout, {static_cast<uint64_t>(attacked.seed_dropout), 4}};
  Gradients gradients(model.parameters);
  const auto add_pass = [&](int64_t first_sequence) {
    const auto packed = pack(small.features, batch, first_sequence);
    SpanTargets targets;
    for (const int64_t i : batch) {
      targets.starts.push_back(small.features[static_cast<size_t>(i)].start_position);
      targets.ends.push_back(small.features[static_cast<size_t>(i)].end_position);
    }
    cpu_model->set_parameters(model.parameters);
    SpanLoss loss = span_loss(cpu_model->forward_to_train(packed, options), packed.lengths, targets);
    for (float& value : loss.gradient) value *= 0.5f;
    cpu_model->backward(loss.gradient, gradients);
  };
  add_pass(0);
  const auto clean = gradients.values().at(kWordEmbeddings).clone();
  model.parameters.at(kWordEmbeddings) += clean / clean.norm();
  add_pass(sequence_in_pass(0, 2));
  for (const auto& [name, tensor] : got.gradients) {
    INFO(name);
    CHECK(torch::allclose(tensor, gradients.values().at(name), 1e-4, 1e-6));
  }
}
