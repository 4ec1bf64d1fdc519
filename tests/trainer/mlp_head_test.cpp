// head = "mlp": logits are qa_outputs(gelu(qa_head.dense(h))). tests/e2e/mlp_head_test.cpp has the commands.
#include <cmath>

#include "core/files.h"
#include "core/run_paths.h"
#include "formats/bert_names.h"
#include "formats/safetensors.h"
#include "tests/trainer/small_training.h"
#include "trainer/span_loss.h"

using namespace expctl;
using namespace expctl::test;

namespace {

constexpr SpanHead kMlp = SpanHead::kMlp;

std::vector<StepMetrics> train(const SmallTraining& small, const TrainSpec& spec, Checkpoint& model,
                               Precision precision = Precision::kFp32) {
  std::vector<StepMetrics> steps;
  auto training = small.training(spec, model, precision);
  REQUIRE(training.run({[&](const StepMetrics& m) { steps.push_back(m); }, never, {}}) == TrainEnd::kDone);
  return steps;
}

/// A head that is not small beside the other weights, so that its gradients are seen.
Checkpoint with_large_head(const SmallTraining& small) {
  Checkpoint model = small.model(kMlp);
  for (auto& [name, tensor] : model.parameters) {
    if (is_span_head(name)) tensor = tensor * 10 + 0.05;
  }
  return model;
}

/// What transformers makes of a batch: tensors by tests/trainer/mlp_head_parity.py.
Parameters expected(const SmallTraining& small, const Checkpoint& model, const std::vector<int64_t>& chosen) {
  const TempDir dir;
  save_checkpoint(dir / "model", model);
  Json batch = Json::array();
  for (const int64_t i : chosen) {
    const Feature& feature = small.features[static_cast<size_t>(i)];
    const PackedBatch alone = pack(small.features, {i}, 0);
    batch.push_back({{"input_ids", alone.input_ids},
                     {"token_types", alone.token_types},
                     {"start", feature.start_position},
                     {"end", feature.end_position}});
  }
  write_file(dir / "batch.json", json_text(batch));
  const auto made =
      run_program({python().string(), (source_dir() / "tests/trainer/mlp_head_parity.py").string(),
                   (dir / "model").string(), (dir / "batch.json").string(),
                   (source_dir() / "reports/templates/eval_only.py").string(), (dir / "out").string()});
  INFO(made.out << made.err);
  REQUIRE(made.exit_code == 0);
  const SafeTensors file = SafeTensors::read(dir / "out");
  Parameters tensors;
  for (const auto& [name, view] : file.tensors())
    tensors[name] = torch::tensor(view.copy_as<float>()).view(view.shape);
  return tensors;
}

struct Computed {
  torch::Tensor logits;
  Gradients gradients;
};

Computed computed(const SmallTraining& small, const Checkpoint& model, const std::vector<int64_t>& chosen,
                  Precision precision) {
  const auto batch = pack(small.features, chosen, 0);
  std::vector<int64_t> starts, ends;
  for (const int64_t i : chosen) {
    starts.push_back(small.features[static_cast<size_t>(i)].start_position);
    ends.push_back(small.features[static_cast<size_t>(i)].end_position);
  }
  const auto bert = make_cpu_model(model.config, precision);
  bert->set_parameters(model.parameters);
  Computed result{{}, Gradients(model.parameters)};
  const auto& logits = bert->forward_to_train(batch, {});
  result.logits = torch::tensor(logits).view({-1, 2});
  bert->backward(span_loss(logits, batch.lengths, {starts, ends}).gradient, result.gradients);
  return result;
}

double size_of(const torch::Tensor& tensor) {
  return tensor.norm().item<double>();
}

}  // namespace

TEST_CASE("mlp head: logits and every gradient are those of transformers and autograd", "[trainer]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch and transformers");
  const SmallTraining small;
  const Checkpoint model = with_large_head(small);
  const std::vector<int64_t> chosen = {4, 0, 7, 2};
  const Parameters reference = expected(small, model, chosen);
  const double largest = reference.at("logits").abs().max().item<double>();
  CHECK(reference.size() == model.parameters.size() + 1);
  // Of the largest logit and of each tensor's norm; bf16 has 8 bits, and what cancels has fewer.
  for (const auto& [precision, of_logits, of_gradients] :
       {std::tuple(Precision::kFp32, 1e-5, 1e-4), std::tuple(Precision::kBf16, 3e-2, 0.1)}) {
    const Computed own = computed(small, model, chosen, precision);
    CHECK((own.logits - reference.at("logits")).abs().max().item<double>() <= of_logits * largest);
    for (const auto& [name, gradient] : own.gradients.values()) {
      INFO(name << " in " << name_of(precision));
      const auto& exact = reference.at("gradient/" + name);
      const bool is_zero = name.ends_with("self.key.bias") || name == "qa_outputs.bias";  // but for rounding
      const double scale = is_zero ? 1.0 : size_of(exact);
      CHECK(size_of(gradient - exact) <= of_gradients * scale);
      CHECK((is_zero || size_of(exact) > 1e-4));
    }
  }
}

TEST_CASE("mlp head: a prediction has the logits of the forward pass that keeps everything", "[trainer]") {
  const SmallTraining small;
  const Checkpoint model = with_large_head(small);
  const auto batch = pack(small.features, {1, 2, 5}, 0);
  for (const auto precision : {Precision::kFp32, Precision::kBf16}) {
    const auto bert = make_cpu_model(model.config, precision);
    bert->set_parameters(model.parameters);
    const auto kept = bert->forward_to_train(batch, {});
    CHECK(bert->forward(batch, {}) == kept);
  }
}

TEST_CASE("mlp head: a new one is of its seed, and what is saved is loaded and gone on from", "[trainer]") {
  const SmallTraining small;
  const Checkpoint model = small.model(kMlp);
  CHECK(model.parameters.size() == small.model().parameters.size() + 2);
  CHECK(torch::equal(model.parameters.at("qa_outputs.weight"),
                     small.model().parameters.at("qa_outputs.weight")));
  CHECK_FALSE(model.has_own_head);
  const TempDir dir;
  save_checkpoint(dir / "saved", model);
  for (const SpanHead asked : {SpanHead::kLinear, kMlp}) {  // its own head is kept, whatever is asked for
    const Checkpoint again = load_checkpoint(dir / "saved", 99, asked);
    CHECK(again.has_own_head);
    CHECK(again.config == model.config);
    CHECK(distance(again.parameters, model.parameters) == 0);
    CHECK(again.parameters.size() == model.parameters.size());
  }
}

TEST_CASE("mlp head: micro-batches train as whole batches", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.adam_epsilon = 1e-3;  // as in tests/trainer/train_test.cpp
  auto whole = small.model(kMlp), parts = small.model(kMlp);
  const auto a = train(small, spec, whole);
  spec.micro_batch = 2;
  const auto b = train(small, spec, parts);
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].loss == Approx(b[i].loss).margin(1e-6));
    CHECK(a[i].grad_norm == Approx(b[i].grad_norm).epsilon(1e-5));
  }
  CHECK(distance(whole.parameters, parts.parameters) < 1e-6);
  // Everything moves, the last LayerNorm's bias too.
  for (const auto& [name, before] : small.model(kMlp).parameters) {
    INFO(name);
    CHECK((whole.parameters.at(name) - before).abs().max().item<double>() > 0);
  }
}

TEST_CASE("mlp head: interrupted and taken up again, it ends with the same bits", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  for (const auto precision : {Precision::kFp32, Precision::kBf16}) {
    auto straight = small.model(kMlp);
    train(small, spec, straight, precision);
    const TempDir dir;
    auto model = small.model(kMlp);
    auto first = small.training(spec, model, precision);
    REQUIRE(first.run({[](const StepMetrics&) {}, [&] { return first.step() == 2; }, {}}) ==
            TrainEnd::kTerminated);
    first.save(dir / "state", "this one");
    auto fresh = small.model(kMlp);
    auto second = small.training(spec, fresh, precision);
    REQUIRE(second.load(dir / "state", "this one"));
    REQUIRE(second.run({[](const StepMetrics&) {}, never, {}}) == TrainEnd::kDone);
    CHECK(distance(fresh.parameters, straight.parameters) == 0);
  }
}

TEST_CASE("mlp head: the loss falls on data that it sees again and again", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.max_steps = 42;  // 14 epochs of 3
  spec.learning_rate = 3e-3;
  spec.hidden_dropout = spec.attention_dropout = 0;
  auto model = small.model(kMlp);
  const auto steps = train(small, spec, model);
  const auto epoch_loss = [&](size_t first) {
    return steps[first].loss + steps[first + 1].loss + steps[first + 2].loss;
  };
  CHECK(epoch_loss(39) < 0.8 * epoch_loss(0));
}

TEST_CASE("mlp head: weight decay is for its weight, not for its bias", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.max_steps = 1;
  spec.optimizer = "sgd";
  spec.max_grad_norm = 0;
  const auto moved_by_decay = [&](const std::string& name) {
    auto with = with_large_head(small), without = with_large_head(small);
    spec.weight_decay = 0.5;
    train(small, spec, with);
    spec.weight_decay = 0;
    train(small, spec, without);
    return (with.parameters.at(name) - without.parameters.at(name)).abs().max().item<double>();
  };
  CHECK(moved_by_decay("qa_head.dense.weight") > 1e-5);
  CHECK(moved_by_decay("qa_head.dense.bias") == 0);
}
