#include "runner/plan.h"

#include "tests/support/support.h"

using namespace expctl;

namespace {

QueuedRun queued(const std::string& id, double not_before = 0, int64_t gpus = 1) {
  QueuedRun run;
  run.id = id;
  run.not_before = not_before;
  run.resources.gpus = gpus;
  return run;
}

const auto kAnyFits = [](const QueuedRun&) { return true; };
const auto kWorthIt = kAnyFits;

}  // namespace

TEST_CASE("runs start in order, and none before its time", "[runner]") {
  std::vector<QueuedRun> queue = {queued("run2", 50), queued("run3"), queued("run4")};
  CHECK(next_to_start(queue, 10, kAnyFits, kWorthIt) == 1);
  CHECK(next_to_start(queue, 50, kAnyFits, kWorthIt) == 0);
  queue = {queued("run2", 50)};
  CHECK_FALSE(next_to_start(queue, 10, kAnyFits, kWorthIt).has_value());
  queue.clear();
  CHECK_FALSE(next_to_start(queue, 10, kAnyFits, kWorthIt).has_value());
}

TEST_CASE("a small run passes a large one that does not fit, but not for ever", "[runner]") {
  std::vector<QueuedRun> queue = {queued("large", 0, 4)};
  for (int i = 0; i < 100; ++i) queue.push_back(queued("small"));
  const auto fits = [](const QueuedRun& run) { return run.resources.gpus == 1; };
  int passed = 0;
  while (const auto next = next_to_start(queue, 0, fits, kWorthIt)) {
    CHECK(queue[*next].id == "small");
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(*next));
    ++passed;
  }
  CHECK(passed == kMostPassedOver);
  // Not while what it needs is not to be had.
  CHECK(next_to_start(queue, 0, fits, [](const QueuedRun&) { return false; }) == 1);
  CHECK(next_to_start(queue, 0, kAnyFits, kWorthIt) == 0);
}

TEST_CASE("of a long queue few are asked", "[runner]") {
  std::vector<QueuedRun> queue;
  for (int i = 0; i < 10'000; ++i) queue.push_back(queued("run", 0, 4));
  int asked = 0;
  CHECK_FALSE(next_to_start(
                  queue, 0,
                  [&](const QueuedRun&) {
                    ++asked;
                    return false;
                  },
                  kWorthIt)
                  .has_value());
  CHECK(asked <= 200);
}

TEST_CASE("what ran out of memory is tried again with half the micro-batch, down to one", "[runner]") {
  RunSpec spec;
  spec.train.batch_size = 12;
  spec.train = resolve(spec.train);
  AttemptRecord memory, crash;
  memory.reason = FailReason::kOutOfMemory;
  crash.reason = FailReason::kSignal;
  CHECK(micro_batch_for(spec, {}) == 12);
  CHECK(micro_batch_for(spec, {memory, crash}) == 6);
  CHECK(micro_batch_for(spec, {memory, memory, memory}) == 1);
  RunSpec shared = spec;
  shared.resources.gpus = 4;  // a rank has 3 of the 12
  CHECK(micro_batch_for(shared, {memory}) == 1);
  CHECK(micro_batch_for(spec, {memory, memory, memory, memory}) == 1);
  CHECK(may_shrink(spec, {memory, memory}));
  CHECK_FALSE(may_shrink(spec, {memory, memory, memory}));
  spec.command.argv = {"true"};
  CHECK(may_shrink(spec, {memory, memory, memory}));
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
