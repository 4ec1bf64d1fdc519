#include "core/outcome.h"

#include <fmt/core.h>

#include "core/enum_names.h"
#include "core/error.h"

namespace expctl {
namespace {

constexpr EnumNames<AttemptEnd, 5> kEnds = {{
    {AttemptEnd::kSucceeded, "succeeded"},
    {AttemptEnd::kFailed, "failed"},
    {AttemptEnd::kStopped, "stopped"},
    {AttemptEnd::kPruned, "pruned"},
    {AttemptEnd::kInterrupted, "interrupted"},
}};

}  // namespace

Outcome failed_outcome(FailReason reason, std::string message) {
  Outcome outcome;
  outcome.reason = reason;
  outcome.message = std::move(message);
  return outcome;
}

Outcome interrupted_outcome(std::string message) {
  Outcome outcome;
  outcome.end = AttemptEnd::kInterrupted;
  outcome.message = std::move(message);
  return outcome;
}

Outcome of_attempt(Outcome outcome, int attempt, double started, double ended) {
  outcome.attempt = attempt;
  outcome.started = started;
  outcome.ended = ended;
  return outcome;
}

std::string_view name_of(AttemptEnd end) {
  return lookup_name(kEnds, end);
}

RunEvent event_of(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kSucceeded:
      return RunEvent::kSucceeded;
    case AttemptEnd::kFailed:
      return RunEvent::kFailed;
    case AttemptEnd::kStopped:
      return RunEvent::kStopped;
    case AttemptEnd::kPruned:
      return RunEvent::kPruned;
    case AttemptEnd::kInterrupted:
      return RunEvent::kInterrupted;
  }
  return RunEvent::kFailed;
}

FailReason fail_reason_from(const Json& json, const std::string& source) {
  const auto name = json_get<std::string>(json, "reason", source);
  const auto reason = fail_reason_from(name);
  if (!reason) throw Error(fmt::format("{}: unknown reason '{}'", source, name));
  return *reason;
}

Json to_json(const Outcome& o) {
  return {{"schema_version", 1},
          {"state", name_of(o.end)},
          {"reason", name_of(o.reason)},
          {"exit_code", o.exit_code},
          {"signal", o.signal},
          {"message", o.message},
          {"attempt", o.attempt},
          {"started", o.started},
          {"ended", o.ended},
          {"max_rss_bytes", o.max_rss_bytes}};
}

Outcome outcome_from_json(const Json& json, const std::string& source) {
  Outcome o;
  const auto state = json_get<std::string>(json, "state", source);
  const auto end = lookup_value(kEnds, state);
  if (!end) throw Error(fmt::format("{}: unknown state '{}'", source, state));
  o.end = *end;
  o.reason = fail_reason_from(json, source);
  o.exit_code = json_get<int>(json, "exit_code", source);
  o.signal = json_get<int>(json, "signal", source);
  o.message = json_get<std::string>(json, "message", source);
  o.attempt = json_get<int>(json, "attempt", source);
  o.started = json_get<double>(json, "started", source);
  o.ended = json_get<double>(json, "ended", source);
  o.max_rss_bytes = json_get<int64_t>(json, "max_rss_bytes", source);
  return o;
}

}  // namespace expctl
