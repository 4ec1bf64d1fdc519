#include "cli/sweep_end.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "cli/terminal.h"
#include "core/error.h"
#include "core/text.h"
#include "registry/spec_of.h"
#include "reports/leaderboard.h"
#include "reports/table.h"
#include "runner/job_array.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// How many of the runs a cluster has.
size_t count_jobs(const Program& program, const std::vector<RunRecord>& runs) {
  std::set<std::string> own;
  for (const auto& run : runs) {
    if (!is_finished(run.state)) own.insert(run.id);
  }
  size_t count = 0;
  for (const auto& array : read_job_arrays(program.workspace())) {
    for (const auto& task : array.tasks) count += own.erase(task.run_id);
  }
  return count;
}

std::vector<std::string> ids_in(RunState state, const std::vector<RunRecord>& runs) {
  std::vector<std::string> ids;
  for (const auto& run : runs) {
    if (run.state == state) ids.push_back(run.id);
  }
  return ids;
}

/// The command as it was typed; without a time that has come.
std::string command_again(const Program& program, bool is_time_up) {
  std::vector<std::string> words;
  for (size_t i = 0; i < program.arguments.size(); ++i) {
    const std::string& word = program.arguments[i];
    const bool is_until = is_time_up && (word == "--until" || word.starts_with("--until="));
    if (!is_until)
      words.push_back(word);
    else if (word == "--until")
      ++i;  // its value
  }
  return command_text(words);
}

/// What `sweep` neither starts nor goes on with.
void say_set_aside(const Program& program, const std::string& sweep_id, const std::vector<RunRecord>& runs) {
  const auto stopped = ids_in(RunState::kStopped, runs), pruned = ids_in(RunState::kPruned, runs);
  if (!stopped.empty()) {
    say(program, fmt::format("{} stopped; to take up again: expctl{} resume {}", stopped.size(),
                             workspace_option(program), stopped.size() == 1 ? stopped.front() : sweep_id));
  }
  if (runs.size() == 1 && !pruned.empty()) {
    say(program, fmt::format("{0} was pruned; expctl{1} rm {0}, then the same command without [early_stop], "
                             "trains it from the beginning",
                             pruned.front(), workspace_option(program)));
  }
}

std::string next_command(const Program& program, const std::string& sweep_id,
                         const std::vector<RunRecord>& runs) {
  const auto best = ranked(runs);
  const auto has_logits = [&](const RunRecord& run) {
    return run.f1 && fs::exists(program.workspace().run(run.id).logits());
  };
  if (best.size() < 2 || !best[1].f1) return "";
  if (has_logits(best[0]) && has_logits(best[1]))
    return fmt::format("expctl{} ensemble {} {}", workspace_option(program), best[0].id, best[1].id);
  const bool has_configs = std::any_of(
      best.begin(), best.end(), [&](const RunRecord& run) { return run.config_hash != best[0].config_hash; });
  if (!has_configs) return "";
  return fmt::format("expctl{} compare {}", workspace_option(program), sweep_id);
}

/// Of runs that score nothing at all: mostly they answer another file than the one that they are scored on.
void warn_of_no_answers(const Program& program, const std::vector<RunRecord>& runs) {
  for (const auto& run : runs) {
    const Input dev = spec_of(run).dev_data;
    const fs::path file = program.workspace().run(run.id).predictions();
    if (run.state != RunState::kSucceeded || run.f1 != 0.0 || dev.path.empty() || !fs::exists(dev.path) ||
        !fs::exists(file))
      continue;
    const Score score = score_predictions(read_dataset(dev.path), read_predictions(file));
    const size_t unanswered = unanswered_count(score);
    if (unanswered == 0) continue;
    say(program,
        fmt::format("warning: {}: {} of {} questions have no answer in {}; is data.dev the file that "
                    "it answers?",
                    run.id, unanswered, score.questions.size(), file.filename().string()));
  }
}

}  // namespace

void print_results(const Program& program, const std::string& sweep_id, const std::vector<RunRecord>& runs) {
  if (program.json) {
    Json json = runs_json(ranked(runs));
    json["sweep"] = sweep_id;
    fmt::print("{}", json_text(json));
  } else {
    fmt::print("{}", runs_table(ranked(runs), stdout_style()));
  }
  warn_of_no_answers(program, runs);
}

int exit_code(const SchedulerEnd& end, const std::vector<RunRecord>& runs, bool may_be_queued) {
  if (end.signal != 0) return 128 + end.signal;
  if (!end.paused.empty()) return static_cast<int>(ErrorCode::kRunsFailed);
  const bool some_failed = std::any_of(runs.begin(), runs.end(), [may_be_queued](const RunRecord& run) {
    return run.state == RunState::kFailed || run.state == RunState::kStopped ||
           (run.state == RunState::kQueued && !may_be_queued);
  });
  return some_failed ? static_cast<int>(ErrorCode::kRunsFailed) : 0;
}

void say_next(const Program& program, const SchedulerEnd& end, const std::string& sweep_id,
              const std::vector<RunRecord>& runs) {
  const std::string again = command_again(program, end.is_time_up);
  if (!end.paused.empty()) {  // no hint but the reason: also for --quiet
    tell(fmt::format("paused: {}; the others stay queued. `expctl{} logs ID` says why; to go on: {}",
                     end.paused, workspace_option(program), again));
    return;
  }
  if (const auto jobs = count_jobs(program, runs); end.signal != 0 && jobs > 0) {
    return say(program, fmt::format("{} with the cluster and {} on there; to take {} up: {}",
                                    counted(jobs, "run is", "runs are"), jobs == 1 ? "goes" : "go",
                                    jobs == 1 ? "it" : "them", again));
  }
  const auto queued = ids_in(RunState::kQueued, runs).size(), failed = ids_in(RunState::kFailed, runs).size();
  if (end.signal != 0 || queued > 0)
    return say(program, fmt::format("{} queued; to go on: {}", queued, again));
  if (failed > 0) {
    say(program, fmt::format("{} failed; to try again: {}{}", failed, again,
                             again.find("--retry-failed") == std::string::npos ? " --retry-failed" : ""));
  }
  say_set_aside(program, sweep_id, runs);
  if (const auto next = next_command(program, sweep_id, runs); !next.empty()) say(program, "next: " + next);
}

}  // namespace expctl
