#include "trainer/layer_rates.h"

#include <set>

#include "formats/bert_names.h"
#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("layer rates: the head has the whole rate, the last layer one decay of it, the embeddings most",
          "[trainer]") {
  constexpr double kDecay = 0.5;
  const auto factor = [](const char* name) { return rate_factor(name, 12, kDecay); };
  CHECK(factor("qa_outputs.bias") == 1);
  CHECK(factor("bert.encoder.layer.11.output.dense.weight") == 0.5);
  CHECK(factor("bert.encoder.layer.2.output.LayerNorm.bias") == std::ldexp(1, -10));
  CHECK(factor("bert.encoder.layer.0.attention.self.query.weight") == std::ldexp(1, -12));
  CHECK(factor("bert.embeddings.LayerNorm.weight") == std::ldexp(1, -13));
  CHECK(factor("bert.embeddings.word_embeddings.weight") == std::ldexp(1, -13));
}

TEST_CASE("layer rates: without a decay every parameter has the whole rate", "[trainer]") {
  for (const auto& [name, shape] : bert_tensors({})) CHECK(rate_factor(name, 12, 1) == 1);
}

// One update with the rates of all layers is, tensor by tensor, that of a training with the one rate.
TEST_CASE("layer rates: each optimizer moves a parameter as it would alone at its rate", "[trainer]") {
  const SmallTraining small;
  for (const char* optimizer : {"adamw", "adam", "sgd", "lamb"}) {
    INFO(optimizer);
    const auto trained = [&](double learning_rate, double decay) {
      auto spec = small_spec();
      spec.optimizer = optimizer;
      spec.max_steps = 1;
      spec.weight_decay = 0.1;
      spec.learning_rate = learning_rate;
      spec.layerwise_lr_decay = decay;
      auto model = small.model();
      auto training = small.training(spec, model);
      REQUIRE(training.run({[](const StepMetrics&) {}, never, {}}) == TrainEnd::kDone);
      return model.parameters;
    };
    const double rate = 1e-2, decay = 0.5;
    const auto got = trained(rate, decay);
    std::set<double> factors;
    for (const double factor : {1.0, 0.5, 0.25, 0.125}) {
      const auto wanted = trained(rate * factor, 1);
      for (const auto& [name, tensor] : got) {
        if (rate_factor(name, 2, decay) != factor) continue;
        INFO(name);
        CHECK(torch::equal(tensor, wanted.at(name)));
        factors.insert(factor);
      }
    }
    CHECK(factors.size() == 4);
  }
}
