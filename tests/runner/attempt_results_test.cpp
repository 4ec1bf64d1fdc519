#include "runner/attempt_results.h"

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("steps are read from metrics.jsonl, events and half lines are not", "[runner]") {
  const TempDir folder;
  const RunPaths paths{folder.path()};
  CHECK(read_metrics(paths).empty());
  CHECK_FALSE(read_latest_metrics(paths).step);
  write_file(paths.metrics(),
             "{\"step\":1,\"epoch\":0.1,\"loss\":3.5,\"learning_rate\":1e-5,\"time\":10}\n{\"event\":"
             "\"saved\",\"step\":1}\n"
             "{\"step\":2,\"epoch\":0.2,\"loss\":2.5,\"learning_rate\":2e-5,\"time\":11}\n{\"step\":3,"
             "\"loss\":null}\n{\"step\":4,\"lo");
  const auto metrics = read_metrics(paths);
  REQUIRE(metrics.size() == 2);
  CHECK(metrics[1].step == 2);
  CHECK(metrics[1].loss == 2.5);
  CHECK(read_latest_metrics(paths).step->step == 2);
  CHECK(read_latest_metrics(paths).earlier->step == 1);
  CHECK_FALSE(read_latest_metrics(paths).f1);
  write_file(paths.metrics(), R"({"event":"eval","step":1,"f1":70.5,"exact_match":60}
{"step":2,"loss":2.5,"time":11}
)");
  CHECK(read_latest_metrics(paths).f1 == 70.5);
  CHECK(read_latest_metrics(paths).step->loss == 2.5);
}

TEST_CASE("an outcome of another attempt is not taken", "[runner]") {
  const TempDir folder;
  const RunPaths paths{folder.path()};
  CHECK_FALSE(read_outcome(paths, 1));
  Outcome outcome;
  outcome.end = AttemptEnd::kSucceeded;
  outcome.attempt = 1;
  write_file(paths.outcome(), json_text(to_json(outcome)));
  CHECK(read_outcome(paths, 1) == outcome);
  CHECK_FALSE(read_outcome(paths, 2));
}
