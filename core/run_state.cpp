#include "core/run_state.h"

#include <fmt/format.h>

#include "core/enum_names.h"
#include "core/text.h"

namespace expctl {
namespace {

constexpr EnumNames<RunState, 6> kStates = {{
    {RunState::kQueued, "queued"},
    {RunState::kRunning, "running"},
    {RunState::kSucceeded, "succeeded"},
    {RunState::kFailed, "failed"},
    {RunState::kStopped, "stopped"},
    {RunState::kPruned, "pruned"},
}};

constexpr EnumNames<FailReason, 8> kReasons = {{
    {FailReason::kNone, ""},
    {FailReason::kExitCode, "exit_code"},
    {FailReason::kSignal, "signal"},
    {FailReason::kTimedOut, "timed_out"},
    {FailReason::kOutOfMemory, "out_of_memory"},
    {FailReason::kDiverged, "diverged"},
    {FailReason::kFailedToStart, "failed_to_start"},
    {FailReason::kLost, "lost"},
}};

constexpr EnumNames<IdKind, 3> kIdPrefixes = {{
    {IdKind::kRun, "run"},
    {IdKind::kEnsemble, "ens"},
    {IdKind::kSweep, "sweep"},
}};

}  // namespace

std::optional<RunState> next_state(RunState state, RunEvent event) {
  switch (state) {
    case RunState::kQueued:
      if (event == RunEvent::kStarted) return RunState::kRunning;
      if (event == RunEvent::kStopped) return RunState::kStopped;
      if (event == RunEvent::kPruned) return RunState::kPruned;
      return std::nullopt;
    case RunState::kRunning:
      switch (event) {
        case RunEvent::kSucceeded:
          return RunState::kSucceeded;
        case RunEvent::kFailed:
          return RunState::kFailed;
        case RunEvent::kStopped:
          return RunState::kStopped;
        case RunEvent::kPruned:
          return RunState::kPruned;
        case RunEvent::kInterrupted:
        case RunEvent::kRetried:
          return RunState::kQueued;
        case RunEvent::kStarted:
        case RunEvent::kResumed:
          return std::nullopt;
      }
      return std::nullopt;
    case RunState::kFailed:
      if (event == RunEvent::kRetried) return RunState::kQueued;
      return std::nullopt;
    case RunState::kStopped:
      if (event == RunEvent::kResumed) return RunState::kQueued;
      return std::nullopt;
    case RunState::kSucceeded:
    case RunState::kPruned:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_finished(RunState state) {
  return state != RunState::kQueued && state != RunState::kRunning;
}

std::string_view name_of(RunState state) {
  return lookup_name(kStates, state);
}
std::string_view name_of(FailReason reason) {
  return lookup_name(kReasons, reason);
}
std::optional<RunState> run_state_from(std::string_view name) {
  return lookup_value(kStates, name);
}
std::optional<FailReason> fail_reason_from(std::string_view name) {
  return lookup_value(kReasons, name);
}

std::string_view prefix_of(IdKind kind) {
  return lookup_name(kIdPrefixes, kind);
}

std::string to_string(Id id) {
  return fmt::format("{}{}", prefix_of(id.kind), id.number);
}

std::optional<Id> parse_id(std::string_view text) {
  for (const auto& [kind, prefix] : kIdPrefixes) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view digits = text.substr(prefix.size());
    const auto number = parse_number<long>(digits);
    const bool canonical = number && *number > 0 && digits[0] != '0';
    return canonical ? std::optional(Id{kind, *number}) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace expctl
