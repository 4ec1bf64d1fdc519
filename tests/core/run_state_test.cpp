#include "core/run_state.h"

#include <catch2/catch.hpp>
#include <map>

using namespace expctl;
using S = RunState;
using E = RunEvent;

TEST_CASE("run_state: exactly the legal transitions, of all there could be", "[core]") {
  const std::map<std::pair<S, E>, S> legal = {
      {{S::kQueued, E::kStarted}, S::kRunning}, {{S::kQueued, E::kStopped}, S::kStopped},
      {{S::kQueued, E::kPruned}, S::kPruned},   {{S::kRunning, E::kSucceeded}, S::kSucceeded},
      {{S::kRunning, E::kFailed}, S::kFailed},  {{S::kRunning, E::kStopped}, S::kStopped},
      {{S::kRunning, E::kPruned}, S::kPruned},  {{S::kRunning, E::kInterrupted}, S::kQueued},
      {{S::kRunning, E::kRetried}, S::kQueued}, {{S::kFailed, E::kRetried}, S::kQueued},
      {{S::kStopped, E::kResumed}, S::kQueued},
  };
  for (const auto state : {S::kQueued, S::kRunning, S::kSucceeded, S::kFailed, S::kStopped, S::kPruned}) {
    for (const auto event : {E::kStarted, E::kSucceeded, E::kFailed, E::kInterrupted, E::kStopped, E::kPruned,
                             E::kRetried, E::kResumed}) {
      const auto expected = legal.find({state, event});
      INFO(name_of(state) << " on event " << static_cast<int>(event));
      if (expected == legal.end())
        CHECK_FALSE(next_state(state, event).has_value());
      else
        CHECK(next_state(state, event) == expected->second);
    }
  }
}

TEST_CASE("run_state: finished is what no longer waits or runs", "[core]") {
  for (const auto state : {S::kSucceeded, S::kFailed, S::kStopped, S::kPruned}) CHECK(is_finished(state));
  for (const auto state : {S::kQueued, S::kRunning}) CHECK_FALSE(is_finished(state));
}

TEST_CASE("run_state: names read back as what they were", "[core]") {
  for (const auto state : {S::kQueued, S::kRunning, S::kSucceeded, S::kFailed, S::kStopped, S::kPruned}) {
    CHECK(run_state_from(name_of(state)) == state);
  }
  for (const auto reason :
       {FailReason::kNone, FailReason::kExitCode, FailReason::kSignal, FailReason::kTimedOut,
        FailReason::kOutOfMemory, FailReason::kDiverged, FailReason::kFailedToStart, FailReason::kLost}) {
    CHECK(fail_reason_from(name_of(reason)) == reason);
  }
  CHECK_FALSE(run_state_from("finished").has_value());
}

TEST_CASE("run_state: ids are a kind and a positive number, written one way", "[core]") {
  CHECK(parse_id("run3") == Id{IdKind::kRun, 3});
  CHECK(parse_id("ens12") == Id{IdKind::kEnsemble, 12});
  CHECK(parse_id("sweep1") == Id{IdKind::kSweep, 1});
  CHECK(to_string({IdKind::kRun, 42}) == "run42");
  for (const char* bad :
       {"", "run", "run0", "run03", "run-1", "run3x", "Run3", "ran3", "run99999999999999999999"}) {
    INFO(bad);
    CHECK_FALSE(parse_id(bad).has_value());
  }
}
