#include "runner/estimate.h"

#include "tests/support/support.h"

using namespace expctl;

namespace {

RunSpec training(double epochs, const std::string& data = "d") {
  RunSpec spec;
  spec.train.epochs = epochs;
  spec.train_data.sha256 = data;
  spec.train = resolve(spec.train);
  return spec;
}

}  // namespace

TEST_CASE("estimate: a run takes what those like it took, in proportion to its epochs or steps", "[runner]") {
  CHECK_FALSE(expected_duration_s(training(2), {}));
  CHECK(expected_duration_s(training(2), {{training(1), 100}, {training(2), 240}}) == 220.0);
  CHECK_FALSE(expected_duration_s(training(2), {{training(2, "other"), 100}}));
  RunSpec steps = training(2);
  steps.train.max_steps = 300;
  CHECK_FALSE(expected_duration_s(steps, {{training(2), 100}}));
  RunSpec fewer = steps;
  fewer.train.max_steps = 100;
  fewer.train.batch_size = steps.train.batch_size * 2;
  CHECK(expected_duration_s(steps, {{fewer, 100}}) == 150.0);
  RunSpec twice = training(2), four_times = training(2);
  twice.train.rdrop = four_times.train.rdrop = 1;
  four_times.train.adversarial = "fgm";
  CHECK(expected_duration_s(four_times, {{training(2), 100}}) == 400.0);
  CHECK(expected_duration_s(twice, {{four_times, 100}}) == 50.0);
}

TEST_CASE("estimate: a command takes what the same one took", "[runner]") {
  RunSpec one, other;
  one.command.argv = {"train", "{seed}"};
  other.command.argv = {"train"};
  CHECK(expected_duration_s(one, {{one, 10}, {one, 20}, {other, 1000}}) == 15.0);
  CHECK_FALSE(expected_duration_s(one, {{training(2), 10}}));
}
