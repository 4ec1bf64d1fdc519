#include "runner/sweep_progress.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("the part of a training that is done is counted in steps or epochs", "[runner]") {
  MetricRecord metric;
  metric.step = 30;
  metric.epoch = 0.5;
  TrainSpec spec;
  CHECK(training_fraction(metric, spec) == 0.25);
  spec.max_steps = 40;
  CHECK(training_fraction(metric, spec) == 0.75);
}
