// The words of a run's life: ids, states, reasons, and the one function that knows the legal transitions.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace expctl {

enum class RunState { kQueued, kRunning, kSucceeded, kFailed, kStopped, kPruned };

/// Why a run failed; kNone for every other state.
enum class FailReason {
  kNone,
  kExitCode,
  kSignal,
  kTimedOut,
  kOutOfMemory,
  kDiverged,
  kFailedToStart,
  kLost
};

/// What can happen to a run. kInterrupted: its attempt was ended from outside (machine, scheduler, drain); no
/// fault of the run. kRetried: a failed attempt with retries left, or --retry-failed. kResumed: a person
/// takes up a stopped run.
enum class RunEvent { kStarted, kSucceeded, kFailed, kInterrupted, kStopped, kPruned, kRetried, kResumed };

/// The state after `event`, or nothing where the event is not legal in `state`. A success is final.
std::optional<RunState> next_state(RunState state, RunEvent event);

bool is_finished(RunState state);

std::string_view name_of(RunState state);
std::string_view name_of(FailReason reason);  ///< "" for kNone
std::optional<RunState> run_state_from(std::string_view name);
std::optional<FailReason> fail_reason_from(std::string_view name);

/// "run12", "ens1", "sweep3": short, never reused.
enum class IdKind { kRun, kEnsemble, kSweep };

struct Id {
  IdKind kind;
  long number;
  auto operator<=>(const Id&) const = default;
};

std::string_view prefix_of(IdKind kind);  ///< "run", "ens", "sweep"
std::string to_string(Id id);
std::optional<Id> parse_id(std::string_view text);

}  // namespace expctl
