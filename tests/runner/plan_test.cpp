#include "runner/plan.h"

#include "tests/support/support.h"

using namespace expctl;

namespace {

QueuedRun queued(const std::string& id, double not_before = 0, int64_t gpus = 1) {
  QueuedRun run;
  run.record.id = id;
  run.not_before = not_before;
  run.record.demand.resources.gpus = gpus;
  return run;
}

const auto kAnyFits = [](const QueuedRun&) { return true; };
const auto kCompete = [](const QueuedRun&, const QueuedRun&) { return true; };

Room room(const std::function<bool(const QueuedRun&)>& fits, bool is_worth_waiting = true) {
  return {fits, [=](const QueuedRun&) { return is_worth_waiting; }, kCompete};
}

}  // namespace

TEST_CASE("runs start in order, and none before its time", "[runner]") {
  std::vector<QueuedRun> queue = {queued("run2", 50), queued("run3"), queued("run4")};
  CHECK(next_to_start(queue, 10, room(kAnyFits)) == 1);
  CHECK(next_to_start(queue, 50, room(kAnyFits)) == 0);
  queue = {queued("run2", 50)};
  CHECK_FALSE(next_to_start(queue, 10, room(kAnyFits)).has_value());
  queue.clear();
  CHECK_FALSE(next_to_start(queue, 10, room(kAnyFits)).has_value());
}

TEST_CASE("a small run passes a large one that does not fit, but not for ever", "[runner]") {
  std::vector<QueuedRun> queue = {queued("large", 0, 4)};
  for (int i = 0; i < 100; ++i) queue.push_back(queued("small"));
  const auto fits = [](const QueuedRun& run) { return run.record.demand.resources.gpus == 1; };
  int passed = 0;
  while (const auto next = next_to_start(queue, 0, room(fits))) {
    CHECK(queue[*next].record.id == "small");
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(*next));
    ++passed;
  }
  CHECK(passed == kMostPassedOver);
  // Not while what it needs is not to be had.
  CHECK(next_to_start(queue, 0, room(fits, false)) == 1);
  CHECK(next_to_start(queue, 0, room(kAnyFits)) == 0);
}

TEST_CASE("of a long queue few are asked", "[runner]") {
  std::vector<QueuedRun> queue;
  for (int i = 0; i < 10'000; ++i) queue.push_back(queued("run", 0, 4));
  int asked = 0;
  const auto fits = [&](const QueuedRun&) {
    ++asked;
    return false;
  };
  CHECK_FALSE(next_to_start(queue, 0, room(fits)).has_value());
  CHECK(asked == 1);
  queue.push_back(queued("small"));
  CHECK(next_to_start(queue, 0, room([](const QueuedRun& run) { return run.record.id == "small"; })) ==
        10'000);
}

TEST_CASE("runs that need no GPU neither pass one that waits for a GPU, nor wait for it", "[runner]") {
  std::vector<QueuedRun> queue = {queued("gpu"), queued("cpu", 0, 0)};
  const auto wants_gpu = [](const QueuedRun& run) { return run.record.demand.resources.gpus > 0; };
  const Room one_kind = {
      [&](const QueuedRun& run) { return !wants_gpu(run); }, [](const QueuedRun&) { return true; },
      [&](const QueuedRun& a, const QueuedRun& b) { return wants_gpu(a) == wants_gpu(b); }};
  for (int i = 0; i < 2 * kMostPassedOver; ++i) CHECK(next_to_start(queue, 0, one_kind) == 1);
  CHECK(queue[0].passed_over == 0);
  queue[0].passed_over = kMostPassedOver;
  CHECK(next_to_start(queue, 0, one_kind) == 1);
  queue.push_back(queued("gpu again"));
  queue[0].record.demand.resources.gpus = 2;
  const Room small = {[](const QueuedRun& run) { return run.record.demand.resources.gpus == 1; },
                      one_kind.is_worth_waiting, one_kind.compete};
  CHECK_FALSE(next_to_start(queue, 0, small).has_value());  // the large one is waited for
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

TEST_CASE("a failure is early within half a minute of its start", "[runner]") {
  Outcome outcome;
  outcome.end = AttemptEnd::kFailed;
  outcome.started = 1000;
  outcome.ended = 1029.9;
  CHECK(died_early(outcome));
  outcome.ended = 1030;
  CHECK_FALSE(died_early(outcome));
  outcome.end = AttemptEnd::kInterrupted;
  outcome.ended = 1001;
  CHECK_FALSE(died_early(outcome));
}

TEST_CASE("the wait before a retry doubles up to a minute", "[runner]") {
  CHECK(retry_delay_s(0) == 1);
  CHECK(retry_delay_s(1) == 2);
  CHECK(retry_delay_s(3) == 8);
  CHECK(retry_delay_s(6) == 60);
  CHECK(retry_delay_s(1000) == 60);
}

TEST_CASE("an attempt without outcome.json is lost under a living scheduler, else interrupted", "[runner]") {
  const Outcome lost = outcome_without_file(true);
  CHECK(lost.end == AttemptEnd::kFailed);
  CHECK(lost.reason == FailReason::kLost);
  const Outcome interrupted = outcome_without_file(false);
  CHECK(interrupted.end == AttemptEnd::kInterrupted);
  CHECK(interrupted.reason == FailReason::kNone);
}
