// Trainings and predictions of a small model on a GPU beside those on the CPU.
#include <cmath>

#include "tests/trainer/cuda/device_training.h"
#include "trainer/cuda/cuda_engine.h"
#include "trainer/predict.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// The GPU's, with gradients that go through NCCL though there is one rank.
class NcclBackend : public Backend {
 public:
  Precision choose_precision(const std::string& name) const override {
    return cuda::backend().choose_precision(name);
  }
  std::unique_ptr<Predictor> make_predictor(const BertConfig& config, Precision precision) const override {
    return cuda::backend().make_predictor(config, precision);
  }
  std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                                          OptimizerState& optimizer, const TrainingData& data,
                                          Ranks& ranks) const override {
    return cuda::make_engine(spec, precision, checkpoint, optimizer, data, ranks, true);
  }
  std::string machine() const override { return cuda::backend().machine(); }
  Json environment() const override { return cuda::backend().environment(); }
};

}  // namespace

TEST_CASE("training in fp32: the CPU's losses and weights, dropout and all", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  for (const std::string optimizer : {"adamw", "adam", "sgd"}) {
    INFO(optimizer);
    TrainSpec spec = many_steps();
    spec.optimizer = optimizer;
    spec.bias_correction = optimizer != "adamw";
    const auto gpu = train(small, spec, cuda::backend(), Precision::kFp32);
    const auto cpu = train(small, spec, cpu_backend(), Precision::kFp32);
    check_close(gpu, cpu, 1e-5, 2e-6);
    CHECK(distance(gpu.parameters, small.model().parameters) > 1e-4);
  }
}

TEST_CASE("training with an MLP head: the CPU's losses and weights, and logits", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  TrainSpec spec = many_steps();
  const auto gpu = train(small, spec, cuda::backend(), Precision::kFp32, SpanHead::kMlp);
  const auto cpu = train(small, spec, cpu_backend(), Precision::kFp32, SpanHead::kMlp);
  check_close(gpu, cpu, 1e-5, 2e-6);
  REQUIRE(gpu.parameters.contains("qa_head.dense.bias"));
  const auto rounded = train(small, spec, cuda::backend(), Precision::kBf16, SpanHead::kMlp);
  check_close(rounded, cpu, 2e-2, 1e-2);
  spec.micro_batch = 4;
  check_close(train(small, spec, cuda::backend(), Precision::kFp32, SpanHead::kMlp), gpu, 1e-5, 2e-6);
  Checkpoint model = small.model(SpanHead::kMlp);
  const auto logits_of = [&](const Backend& backend) {
    return torch::tensor(
        predict_logits(backend, model, small.features, Precision::kFp32, 5, never).value().logits.start);
  };
  CHECK((logits_of(cuda::backend()) - logits_of(cpu_backend())).abs().max().item<double>() < 1e-4);
}

TEST_CASE("training in fp32: each technique is the CPU's, by NCCL too, and all at once", "[cuda]") {
  SKIP_WITHOUT_GPU();
  SmallTraining small(sequence_length());
  const LogitsFile teacher = made_up_teacher(small);
  const auto usual = train(small, many_steps(), cuda::backend(), Precision::kFp32);
  for (const auto& settings : kTechniques) {
    INFO(Catch::Detail::stringify(settings));
    TrainSpec spec = many_steps();
    for (const auto& setting : settings) apply_setting(spec, setting);
    small.teacher = spec.distillation > 0 ? &teacher : nullptr;
    const auto gpu = train(small, spec, cuda::backend(), Precision::kFp32);
    const auto cpu = train(small, spec, cpu_backend(), Precision::kFp32);
    check_close(gpu, cpu, 2e-5, 4e-6);
    CHECK(distance(gpu.parameters, usual.parameters) > 1e-5);
    if (is_emulated_gpu() && settings != kTechniques.back()) continue;
    const auto by_nccl = train(small, spec, NcclBackend(), Precision::kFp32);
    CHECK(distance(gpu.parameters, by_nccl.parameters) == 0);
  }
}

TEST_CASE("training in fp32: micro-batches train as one batch, dropout and all", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  TrainSpec spec = many_steps();
  const auto whole = train(small, spec, cuda::backend(), Precision::kFp32);
  spec.micro_batch = 4;
  check_close(train(small, spec, cuda::backend(), Precision::kFp32), whole, 1e-5, 2e-6);
}

TEST_CASE("training in bf16 and fp16: near the CPU's fp32, dropout and all, the same bits each time",
          "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  TrainSpec spec = many_steps();
  for (const Precision precision : {Precision::kBf16, Precision::kFp16}) {
    INFO(name_of(precision));
    const auto once = train(small, spec, cuda::backend(), precision);
    const auto again = train(small, spec, cuda::backend(), precision);
    CHECK(distance(once.parameters, again.parameters) == 0);
    check_close(once, train(small, spec, cpu_backend(), Precision::kFp32), 2e-2, 1e-2);
  }
}

TEST_CASE("training in bf16 and fp16: all techniques at once are near the CPU's fp32", "[cuda]") {
  SKIP_WITHOUT_GPU();
  SmallTraining small(sequence_length());
  const LogitsFile teacher = made_up_teacher(small);
  small.teacher = &teacher;
  TrainSpec spec = many_steps();
  for (const auto& setting : kTechniques.back()) apply_setting(spec, setting);
  const auto cpu = train(small, spec, cpu_backend(), Precision::kFp32);
  for (const Precision precision : {Precision::kBf16, Precision::kFp16}) {
    INFO(name_of(precision));
    const auto once = train(small, spec, cuda::backend(), precision);
    check_close(once, cpu, 2e-2, 1e-2);
    CHECK(distance(once.parameters, train(small, spec, cuda::backend(), precision).parameters) == 0);
  }
}

TEST_CASE("training in bf16: micro-batches have the masks of the whole batch", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  TrainSpec spec = many_steps();
  spec.max_steps = 1;
  spec.hidden_dropout = 0;
  spec.attention_dropout = 0.5;
  const auto loss = [&](int64_t micro_batch, int64_t seed) {
    spec.micro_batch = micro_batch;
    spec.seed_dropout = seed;
    return train(small, spec, cuda::backend(), Precision::kBf16).steps[0].loss;
  };
  const double whole = loss(6, 1), parts = loss(2, 1), other = loss(6, 2);
  CHECK(parts == Approx(whole).epsilon(1e-3));
  CHECK(std::abs(other - whole) > 10 * std::abs(parts - whole));
}

TEST_CASE("training on a GPU: taken up again at any step, graph or not, it ends with the same bits",
          "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  TrainSpec spec = many_steps();
  if (GENERATE(false, true)) {
    for (const char* setting : {"layerwise_lr_decay=0.8", "ema_decay=0.9", "rdrop=2", "adversarial=fgm"})
      apply_setting(spec, setting);
  }
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const auto straight = train(small, spec, cuda::backend(), precision);
    const std::vector<int64_t> all = {1, 5, 8};
    for (const int64_t stop_at : is_emulated_gpu() ? std::vector<int64_t>{5} : all) {
      INFO(name_of(precision) << ", interrupted after step " << stop_at);
      const TempDir dir;
      {
        Checkpoint model = small.model();
        auto first = small.training(spec, model, precision, cuda::backend());
        TrainingHooks hooks{[](const StepMetrics&) {}, never};
        hooks.wants_state = [&](int64_t step) { return step == stop_at; };
        hooks.on_state = [&](int64_t step) {
          CHECK(first.step() == step);
          first.save(dir / "state", "this one");
        };
        REQUIRE(first.run(hooks) == TrainEnd::kDone);  // saving on the way changes nothing
        CHECK(distance(first.weights(), straight.parameters) == 0);
      }
      Checkpoint model = small.model();
      auto second = small.training(spec, model, precision, cuda::backend());
      REQUIRE(second.load(dir / "state", "this one"));
      std::vector<StepMetrics> rest;
      REQUIRE(second.run({[&](const StepMetrics& m) { rest.push_back(m); }, never}) == TrainEnd::kDone);
      REQUIRE(rest.size() == static_cast<size_t>(spec.max_steps - stop_at));
      CHECK(rest[0].loss == straight.steps[static_cast<size_t>(stop_at)].loss);
      CHECK(distance(second.weights(), straight.parameters) == 0);
    }
  }
}

TEST_CASE("training on a GPU: one rank of NCCL trains as none", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  for (const int64_t micro_batch : {6, 4}) {
    TrainSpec spec = many_steps();
    spec.micro_batch = micro_batch;
    const auto alone = train(small, spec, cuda::backend(), Precision::kBf16);
    const auto by_nccl = train(small, spec, NcclBackend(), Precision::kBf16);
    CHECK(distance(alone.parameters, by_nccl.parameters) == 0);
    for (size_t i = 0; i < alone.steps.size(); ++i) CHECK(alone.steps[i].loss == by_nccl.steps[i].loss);
  }
}

TEST_CASE("training on a GPU: its gradients are the CPU's", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  const auto gradients_of = [&](const Backend& backend) {
    Checkpoint model = small.model();
    TrainSpec spec = small_spec();
    spec.max_steps = 1;
    auto training = small.training(spec, model, Precision::kFp32, backend);
    Parameters gradients;
    training.run({[](const StepMetrics&) {}, never,
                  [&](int64_t, const Parameters& all) {
                    for (const auto& [name, tensor] : all) gradients[name] = tensor.clone();
                  }});
    return gradients;
  };
  const Parameters cpu = gradients_of(cpu_backend()), gpu = gradients_of(cuda::backend());
  REQUIRE(cpu.size() == gpu.size());
  double largest = 0;
  for (const auto& [name, tensor] : cpu) largest = std::max(largest, tensor.abs().max().item<double>());
  for (const auto& [name, tensor] : cpu) {
    INFO(name);
    CHECK((tensor - gpu.at(name)).abs().max().item<double>() < 1e-5 * largest);
  }
}

TEST_CASE("training on a GPU: what is no number ends it, and moves nothing", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  Checkpoint model = small.model();
  model.parameters.at("qa_outputs.weight").fill_(INFINITY);
  const Parameters before = {{"w", model.parameters.at("bert.encoder.layer.0.output.dense.weight").clone()}};
  const TrainSpec spec = many_steps();
  auto training = small.training(spec, model, Precision::kBf16, cuda::backend());
  CHECK(training.run({[](const StepMetrics&) { FAIL("a step"); }, never}) == TrainEnd::kDiverged);
  CHECK(training.step() == 0);
  CHECK(torch::equal(before.at("w"), model.parameters.at("bert.encoder.layer.0.output.dense.weight")));
}

TEST_CASE("prediction on a GPU: the CPU's logits in fp32 within 1e-4, near them in bf16 and fp16", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  const Checkpoint model = small.model();
  const auto cpu = predict_logits(cpu_backend(), model, small.features, Precision::kFp32, 5).value();
  const auto largest_difference = [&](Precision precision) {
    const auto gpu = predict_logits(cuda::backend(), model, small.features, precision, 4).value();
    double largest = 0;
    for (size_t i = 0; i < cpu.logits.start.size(); ++i) {
      largest = std::max<double>(largest, std::abs(cpu.logits.start[i] - gpu.logits.start[i]));
      largest = std::max<double>(largest, std::abs(cpu.logits.end[i] - gpu.logits.end[i]));
    }
    return largest;
  };
  CHECK(largest_difference(Precision::kFp32) < 1e-4);
  CHECK(largest_difference(Precision::kBf16) < 5e-2);
  CHECK(largest_difference(Precision::kFp16) < 1e-2);
}

TEST_CASE("training on a GPU: what it does not compute is refused", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const SmallTraining small(sequence_length());
  TrainSpec spec = small_spec();
  spec.optimizer = "lamb";
  Checkpoint model = small.model();
  CHECK_THROWS_WITH(small.training(spec, model, Precision::kFp32, cuda::backend()), Catch::Contains("lamb"));
  model.config.hidden_size = 36;
  CHECK_THROWS_WITH(small.training(small_spec(), model, Precision::kFp32, cuda::backend()),
                    Catch::Contains("hidden size of 36"));
}
