// outcome.json: how one attempt of a run ended, written once by its supervisor, last of all files, and read
// by the scheduler.
#pragma once

#include <cstdint>
#include <string>

#include "core/json.h"
#include "core/run_state.h"

namespace expctl {

/// How an attempt ended. kInterrupted is no state of a run: the run goes back to the queue.
enum class AttemptEnd { kSucceeded, kFailed, kStopped, kPruned, kInterrupted };

struct Outcome {
  AttemptEnd end = AttemptEnd::kFailed;
  FailReason reason = FailReason::kNone;  ///< set where end is kFailed
  int exit_code = 0;                      ///< of the worker or command; 0 where a signal ended it
  int signal = 0;       ///< that ended the worker; of an interrupted attempt the one that asked for its end
  std::string message;  ///< for people: one sentence, or the last lines of the log
  int attempt = 1;      ///< 1 for the first
  double started = 0;   ///< Unix seconds
  double ended = 0;
  int64_t max_rss_bytes = 0;

  bool operator==(const Outcome&) const = default;
};

Outcome failed_outcome(FailReason reason, std::string message);
Outcome interrupted_outcome(std::string message);
/// The outcome as that of this attempt.
Outcome of_attempt(Outcome outcome, int attempt, double started, double ended);

std::string_view name_of(AttemptEnd end);

/// The event that a run goes through when its attempt ended so.
RunEvent event_of(AttemptEnd end);

/// The member "reason". Throws Error.
FailReason fail_reason_from(const Json& json, const std::string& source);

Json to_json(const Outcome& outcome);
Outcome outcome_from_json(const Json& json, const std::string& source);

}  // namespace expctl
