#include "runner/replay_check.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("replay: steps are the same to the last bit, times apart", "[runner]") {
  const std::vector<MetricRecord> recorded = {{1, 0.5, 2.25, 1e-5, 100}, {2, 1, 2.0, 0, 101}};
  auto replayed = recorded;
  replayed[0].time = 900;
  CHECK(compare_steps(recorded, replayed).is_same);
  replayed[1].loss = 2.0000000000000004;
  CHECK_FALSE(compare_steps(recorded, replayed).is_same);
  CHECK(compare_steps(recorded, replayed).why ==
        "step 2: loss 2 and learning rate 0 on record, 2.0000000000000004 and 0 now");
  replayed.pop_back();
  CHECK(compare_steps(recorded, replayed).why == "2 on record, 1 now");
}

TEST_CASE("replay: weights, logits and answers are compared, what holds times is not", "[runner]") {
  const std::vector<ArtifactRecord> recorded = {{"run1", "checkpoint/model.safetensors", 4, "aa"},
                                                {"run1", "train.log", 4, "bb"},
                                                {"run1", "predictions.json", 4, "cc"},
                                                {"run1", "logits.safetensors", 4, "dd"}};
  const auto checks = compare_files(recorded, {{"run1", "checkpoint/model.safetensors", 4, "aa"},
                                               {"run1", "train.log", 4, "other"},
                                               {"run1", "predictions.json", 4, "other"}});
  REQUIRE(checks.size() == 3);
  CHECK(checks[0].is_same);
  CHECK(checks[1].what == "predictions.json");
  CHECK(checks[1].why == "another content");
  CHECK(checks[2].why == "it was not made");
}
