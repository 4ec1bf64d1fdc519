#include "core/outcome.h"

#include <catch2/catch.hpp>

#include "core/request.h"

using namespace expctl;

TEST_CASE("outcome: reads back from its JSON for every end and reason", "[core]") {
  for (const auto end : {AttemptEnd::kSucceeded, AttemptEnd::kFailed, AttemptEnd::kStopped,
                         AttemptEnd::kPruned, AttemptEnd::kInterrupted}) {
    const Outcome outcome{end,
                          end == AttemptEnd::kFailed ? FailReason::kSignal : FailReason::kNone,
                          3,
                          9,
                          "why \"so\"",
                          2,
                          1.5,
                          2.5,
                          4096};
    CHECK(outcome_from_json(parse_json(json_text(to_json(outcome)), "x"), "x") == outcome);
  }
  Json bad = to_json(Outcome{});
  bad["state"] = "finished";
  CHECK_THROWS_WITH(outcome_from_json(bad, "o.json"), "o.json: unknown state 'finished'");
}

TEST_CASE("request: reads back from its JSON", "[core]") {
  WorkerRequest request;
  request.run_id = "run3";
  request.attempt_token = "t";
  request.spec.train = resolve({});
  request.devices = {{"GPU-1"}, 4, {0, 1}};
  request.argv = {"a", "b c"};
  request.environment = {{"X", "1"}};
  const Json json = to_json(request);
  CHECK(to_json(worker_request_from_json(json, "x")) == json);
  Json bad = json;
  bad["task"] = "dance";
  CHECK_THROWS_WITH(worker_request_from_json(bad, "r.json"), "r.json: unknown task 'dance'");
}
