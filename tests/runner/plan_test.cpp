#include "runner/plan.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("own runs start first, in order, and none before its time", "[runner]") {
  const std::vector<QueuedRun> queue = {
      {"run1", false, 0}, {"run2", true, 50}, {"run3", true, 0}, {"run4", true, 0}};
  CHECK(next_to_start(queue, 10) == 2);
  CHECK(next_to_start(queue, 50) == 1);
  CHECK(next_to_start({{"run1", false, 0}, {"run2", true, 50}}, 10) == 0);
  CHECK_FALSE(next_to_start({{"run2", true, 50}}, 10).has_value());
  CHECK_FALSE(next_to_start({}, 10).has_value());
}

TEST_CASE("only failures that may end otherwise are tried again, while retries are left", "[runner]") {
  const auto retries = [](FailReason reason, int used) {
    Outcome outcome;
    outcome.reason = reason;
    return may_retry(outcome, used, 2);
  };
  for (const auto reason :
       {FailReason::kExitCode, FailReason::kSignal, FailReason::kOutOfMemory, FailReason::kLost}) {
    CHECK(retries(reason, 0));
    CHECK(retries(reason, 1));
    CHECK_FALSE(retries(reason, 2));
  }
  for (const auto reason : {FailReason::kTimedOut, FailReason::kDiverged, FailReason::kFailedToStart}) {
    CHECK_FALSE(retries(reason, 0));
  }
  for (const auto end :
       {AttemptEnd::kSucceeded, AttemptEnd::kStopped, AttemptEnd::kPruned, AttemptEnd::kInterrupted}) {
    Outcome outcome;
    outcome.end = end;
    CHECK_FALSE(may_retry(outcome, 0, 2));
  }
}

TEST_CASE("the wait before a retry doubles up to a minute", "[runner]") {
  CHECK(retry_delay_s(0) == 1);
  CHECK(retry_delay_s(1) == 2);
  CHECK(retry_delay_s(3) == 8);
  CHECK(retry_delay_s(6) == 60);
  CHECK(retry_delay_s(1000) == 60);
}

TEST_CASE("an attempt without outcome.json is lost under a living scheduler, else interrupted", "[runner]") {
  const Outcome lost = outcome_without_file(true, 3, 10, 20);
  CHECK(lost.end == AttemptEnd::kFailed);
  CHECK(lost.reason == FailReason::kLost);
  CHECK(lost.attempt == 3);
  const Outcome interrupted = outcome_without_file(false, 3, 10, 20);
  CHECK(interrupted.end == AttemptEnd::kInterrupted);
  CHECK(interrupted.reason == FailReason::kNone);
}
