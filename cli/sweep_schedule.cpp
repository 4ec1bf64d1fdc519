#include "cli/sweep_schedule.h"

#include <fmt/core.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "cli/run_progress.h"
#include "cli/sweep_plan.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "runner/file_lock.h"
#include "runner/walltime.h"

namespace expctl {
namespace {

/// What was asked of a scheduler that another command has begun without it; "": nothing.
std::string unheeded_text(const SweepRunOptions& options) {
  std::vector<std::string> unheeded;
  if (options.max_runs > 0) unheeded.emplace_back("--max-runs");
  if (options.fail_fast) unheeded.emplace_back("--fail-fast");
  if (options.until > 0) unheeded.emplace_back("--until");
  if (!options.gpus.empty()) unheeded.emplace_back("--gpus");
  return unheeded.empty() ? "" : fmt::format(", which does not heed {}", join(unheeded, ", "));
}

/// But for what it calls.
SchedulerOptions scheduler_options(const Registry& registry, const std::string& sweep_id,
                                   const SweepRuns& sweep, const std::filesystem::path& worker,
                                   const SweepRunOptions& options) {
  SchedulerOptions scheduling;
  scheduling.expctl = self_path();
  scheduling.worker = worker;
  scheduling.fail_fast = options.fail_fast;
  scheduling.max_runs = options.max_runs;
  scheduling.until = options.until;
  scheduling.allocation_end = allocation_end().value_or(0);
  for (const auto& entry : sweep.entries()) scheduling.own_runs.insert(entry.run_id);
  scheduling.to_come = sweep.to_come();
  RunFilter filter;
  filter.sweep_id = sweep_id;
  registry.for_each_run(filter, [&](RunRecord&& run) {
    if (scheduling.own_runs.contains(run.id) && is_finished(run.state))
      scheduling.ended_runs.push_back(std::move(run));
  });
  return scheduling;
}

}  // namespace

SchedulerEnd schedule(const Program& program, Registry& registry, GpuPool& gpus, const std::string& sweep_id,
                      SweepRuns& sweep, const std::filesystem::path& worker, const SweepRunOptions& options) {
  ProgressPrinter printer(program.quiet, stderr_is_interactive());
  bool said = false;
  std::optional<FileLock> waiting;  // tells the scheduler at work that there is one to take over
  const auto more_runs = [&] {
    sweep.look(&registry, sweep_id);
    return MoreRuns{sweep.enter(registry, sweep_id), sweep.to_come()};
  };
  while (true) {
    more_runs();
    if (registry.open_runs(sweep_id) == 0) return {};
    if (options.until > 0 && SystemClock().now_s() >= options.until) {
      if (said)
        printer.change("the time is up; what was handed over goes on there, unless expctl stop ends it");
      return {SIGINT, "", true};
    }
    const auto lock = FileLock::try_take(program.workspace().lock());
    if (lock) {
      waiting.reset();
      if (const auto others = others_queued_text(program, registry, sweep.entries()); !others.empty())
        printer.change(others);
      SchedulerOptions scheduling = scheduler_options(registry, sweep_id, sweep, worker, options);
      scheduling.more_runs = more_runs;
      scheduling.on_change = [&](const std::string& line) { printer.change(line); };
      scheduling.on_tick = [&](const SweepProgress& progress) { printer.tick(progress); };
      return Scheduler(registry, program.workspace(), gpus, scheduling).run();
    }
    if (!said)
      printer.change("another expctl sweep is at work in this workspace: the runs are handed to it" +
                     unheeded_text(options));
    said = true;
    if (!waiting) waiting = FileLock::try_take(program.workspace().waiting_lock());
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

bool is_anyone_scheduling(const WorkspacePaths& workspace) {
  try {
    return !FileLock::try_take(workspace.lock()) || !FileLock::try_take(workspace.waiting_lock());
  } catch (const Error&) {
    return true;  // not known, so nothing is said of it
  }
}

}  // namespace expctl
