#include "runner/cluster_rules.h"

#include <algorithm>
#include <csignal>

#include "runner/job_array.h"

namespace expctl {
namespace {

Outcome out_of_time(Outcome end, bool may_go_on) {
  end.end = may_go_on ? AttemptEnd::kInterrupted : AttemptEnd::kFailed;
  end.reason = may_go_on ? FailReason::kNone : FailReason::kTimedOut;
  end.message = may_go_on ? "the time of the cluster's job was over"
                          : "the time of the cluster's job was over before the run had saved a state";
  return end;
}

}  // namespace

std::optional<Outcome> end_of_attempt(const AttemptView& view) {
  if (view.written && view.written->end != AttemptEnd::kInterrupted) return view.written;
  if (view.state == TaskState::kUnknown || view.state == TaskState::kRunning) return std::nullopt;
  if (!view.written && !view.is_settled) return std::nullopt;
  const auto written_or = [&](const char* message) {
    return view.written.value_or(interrupted_outcome(message));
  };
  Outcome end;
  switch (view.state) {
    case TaskState::kCancelled:
      end = written_or("its job was cancelled by expctl");
      if (!view.is_withdrawn) {
        end.end = AttemptEnd::kStopped;
        end.message = "its job was cancelled on the cluster";
      }
      return end;
    case TaskState::kTimedOut:
      return out_of_time(written_or(""), view.may_go_on);
    case TaskState::kOutOfMemory:
      return failed_outcome(FailReason::kOutOfMemory, "the cluster ended its job for lack of memory");
    case TaskState::kPending:
      return written_or("the cluster has queued its job again");
    case TaskState::kPreempted:
      return written_or("preempted on the cluster");
    case TaskState::kNodeFailed:
      return written_or("its node has failed");
    default:
      break;
  }
  if (view.written && view.written->signal == SIGUSR1) return out_of_time(*view.written, view.may_go_on);
  if (view.written) return view.written;
  return failed_outcome(FailReason::kLost, "its job has ended without a word of the supervisor");
}

std::string array_group(const std::string& sweep_id, const RunSpec& spec) {
  const JobScript script = job_script_for(spec);
  return json_line({sweep_id, script.gpus, script.cpus, script.walltime_s, to_json(spec.executor)});
}

size_t may_submit(size_t waiting, size_t unfinished, int64_t cap) {
  if (cap == 0) return waiting;
  if (unfinished == 0) return std::min(waiting, kMostTasks);
  const auto at_once = static_cast<size_t>(cap);
  return unfinished >= at_once ? 0 : std::min(waiting, at_once - unfinished);
}

}  // namespace expctl
