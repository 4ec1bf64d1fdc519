#include "trainer/average.h"

#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("average: the first updates count more", "[trainer]") {
  CHECK(average_decay(0.999, 1) == Approx(2.0 / 11));
  CHECK(average_decay(0.999, 90) == Approx(0.91));
  CHECK(average_decay(0.999, 1'000'000) == 0.999);
  CHECK(average_decay(0.1, 1) == 0.1);
}

TEST_CASE("average: what has never moved is its own average to the last bit", "[trainer]") {
  const auto parameter = torch::randn({1000});
  Parameters average{{"x", parameter.clone()}};
  for (int64_t t = 1; t < 20; ++t) move_average(average, {{"x", parameter}}, average_decay(0.9, t));
  CHECK(torch::equal(average.at("x"), parameter));
}

TEST_CASE("average: of a training it is the definition's, and the training goes on as without it",
          "[trainer]") {
  const SmallTraining small;
  for (const double decay : {0.15, 0.9}) {
    auto spec = small_spec();
    spec.learning_rate = 1e-2;
    auto plain = small.model();
    auto without = small.training(spec, plain);
    REQUIRE(without.run({[](const StepMetrics&) {}, never, {}}) == TrainEnd::kDone);
    CHECK(&without.weights() == &plain.parameters);

    spec.ema_decay = decay;
    auto model = small.model();
    Parameters shadow;  // in fp64
    for (const auto& [name, tensor] : model.parameters) shadow[name] = tensor.to(torch::kDouble);
    auto training = small.training(spec, model);
    TrainingHooks hooks{[](const StepMetrics&) {}, never};
    const auto follow = [&](double t) {
      const double d = std::min(decay, (1 + t) / (10 + t));
      for (auto& [name, tensor] : shadow)
        tensor = d * tensor + (1 - d) * model.parameters.at(name).to(torch::kDouble);
    };
    hooks.wants_state = [](int64_t) { return true; };
    hooks.on_state = [&](int64_t step) { follow(static_cast<double>(step)); };
    REQUIRE(training.run(hooks) == TrainEnd::kDone);
    double moved = 0;
    for (const auto& [name, tensor] : training.weights()) {
      INFO(name);
      CHECK(torch::equal(model.parameters.at(name), plain.parameters.at(name)));
      CHECK((tensor - shadow.at(name)).abs().max().item<double>() < 1e-6);
      moved = std::max(moved, (tensor - model.parameters.at(name)).abs().max().item<double>());
    }
    CHECK(moved > 1e-4);
  }
}
