#include "trainer/schedule.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("schedule: steps are counted as Hugging Face's Trainer counts them", "[trainer]") {
  struct Case {
    int64_t features, batch_size;
    double epochs, warmup_ratio;
    int64_t max_steps, steps_per_epoch, total, warmup;
  };
  const auto c = GENERATE(Case{88524, 12, 2.0, 0.0, 0, 7377, 14754, 0},  //
                          Case{100, 10, 2.0, 0.1, 0, 10, 20, 2},         //
                          Case{101, 10, 2.0, 0.1, 0, 11, 22, 3},         // 2.2 up
                          Case{101, 10, 0.5, 0.0, 0, 11, 6, 0},          // 5.5 up
                          Case{3, 10, 0.01, 0.5, 0, 1, 1, 1},            //
                          Case{100, 10, 2.0, 0.1, 7, 10, 7, 1});         // max_steps wins
  TrainSpec spec;
  spec.batch_size = c.batch_size;
  spec.epochs = c.epochs;
  spec.warmup_ratio = c.warmup_ratio;
  spec.max_steps = c.max_steps;
  const auto plan = plan_steps(spec, c.features);
  CHECK(plan.steps_per_epoch == c.steps_per_epoch);
  CHECK(plan.total_steps == c.total);
  CHECK(plan.warmup_steps == c.warmup);
}

TEST_CASE("schedule: no features is an error, not a division", "[trainer]") {
  CHECK_THROWS_WITH(plan_steps({}, 0), Catch::Contains("no features"));
}

TEST_CASE("schedule: the rate of each step, with and without warm-up", "[trainer]") {
  struct Case {
    const char* schedule;
    int64_t warmup, step;
    double rate;  // part of the peak
  };
  const auto c = GENERATE(Case{"linear", 0, 0, 1.0}, Case{"linear", 0, 5, 0.5}, Case{"linear", 0, 9, 0.1},
                          Case{"linear", 4, 0, 0.0}, Case{"linear", 4, 1, 0.25}, Case{"linear", 4, 4, 1.0},
                          Case{"linear", 4, 7, 0.5}, Case{"linear", 4, 10, 0.0}, Case{"linear", 10, 9, 0.9},
                          Case{"constant", 0, 9, 1.0}, Case{"constant", 4, 2, 0.5},
                          Case{"constant", 4, 8, 1.0}, Case{"cosine", 0, 0, 1.0}, Case{"cosine", 0, 5, 0.5},
                          Case{"cosine", 4, 4, 1.0}, Case{"cosine", 4, 6, 0.75}, Case{"cosine", 4, 10, 0.0});
  TrainSpec spec;
  spec.learning_rate = 2e-4;
  spec.schedule = c.schedule;
  INFO(c.schedule << " warmup " << c.warmup << " step " << c.step);
  CHECK(learning_rate_at(spec, {5, 10, c.warmup}, c.step) == Approx(2e-4 * c.rate).margin(1e-15));
}
