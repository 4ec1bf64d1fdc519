#include "runner/attempt_end.h"

#include <fmt/core.h>

#include <filesystem>

#include "core/files.h"
#include "core/text.h"
#include "runner/attempt_results.h"
#include "runner/plan.h"
#include "runner/record_files.h"

namespace expctl {
namespace {

std::string last_line(const std::string& text) {
  return text.substr(text.rfind('\n') + 1);
}

/// The results of an attempt. Where they cannot be read `outcome` becomes a failure: the job's, not the
/// scheduler's.
AttemptResults take_results(const RunRecord& run, Outcome& outcome, const RunPaths& paths) {
  const bool succeeded = outcome.end == AttemptEnd::kSucceeded;
  AttemptResults results;
  try {
    results.metrics = read_metrics(paths);
    if (succeeded) {
      results.evaluation = read_evaluation(run, paths);
      results.artifacts = read_artifacts(run.id, paths);
    }
  } catch (const std::exception& e) {
    results.evaluation.reset();
    if (succeeded) {
      outcome.end = AttemptEnd::kFailed;
      outcome.reason = FailReason::kExitCode;
      outcome.message = e.what();
    }
  }
  return results;
}

/// What a command that has succeeded was to leave, and has not: "" or "; it left no out.json, ...". That it
/// leaves an n-best is expected only where the sweep file names one.
std::string missing_text(const RunSpec& spec, const RunPaths& paths) {
  if (!spec.is_command()) return "";
  // What lies there without being what the pattern means has not been taken (cli/command_results.h).
  const auto is_missing = [&](const std::string& pattern, const std::filesystem::path& taken) {
    return !pattern.empty() && (!std::filesystem::exists(taken) || find_files(paths.folder, pattern).empty());
  };
  const CommandSpec& command = spec.command;
  const bool unscored = is_missing(command.predictions, paths.predictions()) && !spec.dev_data.path.empty();
  std::vector<std::string> missing;
  if (unscored) missing.push_back(command.predictions);
  if (is_missing(command.nbest, paths.nbest()) && command.nbest != paths.nbest().filename())
    missing.push_back(command.nbest);
  if (is_missing(command.checkpoint, paths.checkpoint())) missing.push_back(command.checkpoint);
  if (missing.empty()) return "";
  return fmt::format("; it left no {} in {}{}", join(missing, ", "), paths.folder.string(),
                     unscored ? ", so it has no score" : "");
}

}  // namespace

RecordedEnd record_end(const RunRecord& run, const Outcome& ended, Registry& registry,
                       const RunPaths& paths) {
  RecordedEnd end;
  end.spec = spec_of(run);
  end.outcome = ended;
  if (ended.end != AttemptEnd::kSucceeded && std::filesystem::exists(paths.stop_request())) {
    end.outcome.end = AttemptEnd::kStopped;  // it ended before its supervisor saw that it was to be stopped
    end.outcome.reason = FailReason::kNone;
  }
  if (ended.end == AttemptEnd::kInterrupted && std::filesystem::exists(paths.prune_request())) {
    end.outcome.end = AttemptEnd::kPruned;
    end.outcome.message = read_file(paths.prune_request());
  }
  const AttemptResults results = take_results(run, end.outcome, paths);
  end.is_retried =
      may_retry(end.outcome, run.retries_used, end.spec.resources.retries) &&
      (end.outcome.reason != FailReason::kOutOfMemory || may_shrink(end.spec, registry.attempts(run.id)));
  end.delay_s = end.is_retried ? retry_delay_s(run.retries_used) : 0;
  // The file first: killed before the commit, the run is still running in the registry, and its end is
  // recorded again.
  end.run = registry.finish_attempt(run.id, end.outcome, end.is_retried, results,
                                    [&] { write_run_file(registry, run.id, paths); });
  std::error_code in_use;  // then `expctl gc` takes what is left
  if (end.run.state == RunState::kPruned) std::filesystem::remove_all(paths.state(), in_use);
  return end;
}

std::string describe(const RecordedEnd& end, const RunPaths& paths) {
  const RunRecord& run = end.run;
  const Outcome& outcome = end.outcome;
  const std::string took = duration_text(outcome.ended - outcome.started);
  if (run.state == RunState::kSucceeded) {
    const std::string score =
        run.f1 ? fmt::format(": F1 {:.2f}, exact match {:.2f}", *run.f1, run.exact_match.value_or(0)) : "";
    return fmt::format("{} succeeded{} ({}){}", run.id, score, took, missing_text(end.spec, paths));
  }
  if (outcome.end == AttemptEnd::kInterrupted)
    return fmt::format("{} interrupted after {}; it is queued again", run.id, took);
  if (run.state == RunState::kStopped || run.state == RunState::kPruned)
    return fmt::format("{} {} after {}{}{}", run.id, name_of(run.state), took,
                       outcome.message.empty() ? "" : ": ", outcome.message);
  const std::string why = fmt::format("{}{}", name_of(outcome.reason),
                                      outcome.exit_code != 0 ? fmt::format(" {}", outcome.exit_code) : "");
  const std::string next = run.state == RunState::kQueued
                               ? fmt::format("; tried again in {}", duration_text(end.delay_s))
                               : fmt::format("; its log is {}", paths.log().string());
  return fmt::format("{} failed ({}) after {}{}{}{}", run.id, why, took, outcome.message.empty() ? "" : ": ",
                     last_line(outcome.message), next);
}

}  // namespace expctl
