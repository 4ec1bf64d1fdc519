// `expctl stop ID ...` and `expctl resume ID ...`: runs that a person takes out, and back in.
#include <fmt/core.h>

#include <chrono>
#include <thread>

#include "cli/program.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "registry/registry.h"

namespace expctl {
namespace {

RunRecord find_one(const Registry& registry, const std::string& word) {
  RunRecord run = registry.resolve_run(word);
  if (run.sweep_id.empty())
    throw Error(fmt::format("{} is an ensemble: there is nothing to stop or resume", run.id), "",
                ErrorCode::kUsage);
  return run;
}

/// False where it had ended before.
bool ask_to_stop(Registry& registry, const RunRecord& run, const RunPaths& paths) {
  if (run.state == RunState::kQueued) registry.apply_event(run.id, RunEvent::kStopped);
  if (run.state == RunState::kRunning) write_file(paths.stop_request(), "");
  return !is_finished(run.state);
}

int stop(const Program& program, const std::vector<std::string>& words) {
  Registry registry = Registry::open_existing(program.workspace().registry());
  std::vector<RunRecord> runs;
  for (const auto& word : words) runs.push_back(find_one(registry, word));
  int left = 0;
  for (const auto& run : runs) {
    if (ask_to_stop(registry, run, RunPaths{program.workspace().folder(run.id)})) continue;
    say(program, fmt::format("{} is {} already", run.id, name_of(run.state)));
    ++left;
  }
  // A worker has 30 s to save its state.
  constexpr double kPatience_s = 40;
  const SystemClock clock;
  const double until = clock.now_s() + kPatience_s;
  for (const auto& run : runs) {
    if (is_finished(run.state)) continue;
    RunState now = registry.find_run(run.id).value().state;
    while (now == RunState::kRunning && clock.now_s() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      now = registry.find_run(run.id).value().state;
    }
    if (now == RunState::kRunning) {
      throw Error(fmt::format("{} has not ended within {:.0f} s", run.id, kPatience_s),
                  "is a scheduler at work here? expctl sweep takes in what has ended");
    }
    say(program, now == RunState::kStopped
                     ? fmt::format("{} is stopped; to take it up again: expctl{} resume {}", run.id,
                                   workspace_option(program), run.id)
                     : fmt::format("{} has {} before it could be stopped", run.id, name_of(now)));
  }
  return left > 0 ? static_cast<int>(ErrorCode::kError) : 0;
}

int resume(const Program& program, const std::vector<std::string>& words) {
  Registry registry = Registry::open_existing(program.workspace().registry());
  std::vector<RunRecord> runs;
  for (const auto& word : words) {
    runs.push_back(find_one(registry, word));
    if (runs.back().state != RunState::kStopped) {
      throw Error(fmt::format("{} is {}, not stopped", runs.back().id, name_of(runs.back().state)),
                  runs.back().state == RunState::kFailed
                      ? "expctl sweep FILE --retry-failed tries failed runs again"
                      : "");
    }
  }
  for (const auto& run : runs) {
    registry.apply_event(run.id, RunEvent::kResumed);
    const auto sweep = registry.find_sweep(run.sweep_id);
    say(program, fmt::format("{} is queued; a sweep at work here takes it up, else: expctl{} sweep {}",
                             run.id, workspace_option(program), sweep ? sweep->file : "FILE"));
  }
  return 0;
}

void add_verb(CLI::App& app, Program& program, const char* name, const char* what,
              int (*act)(const Program&, const std::vector<std::string>&)) {
  auto* verb = app.add_subcommand(name, what);
  auto ids = std::make_shared<std::vector<std::string>>();
  verb->add_option("ID", *ids, "run3, @ (the newest), ...")->required()->expected(1, -1);
  verb->callback(
      [&program, ids, act] { program.action = [&program, ids, act] { return act(program, *ids); }; });
}

}  // namespace

void add_stop(CLI::App& app, Program& program) {
  add_verb(app, program, "stop", "Stop runs; a training saves its state first", stop);
}

void add_resume(CLI::App& app, Program& program) {
  add_verb(app, program, "resume", "Queue stopped runs again; they go on from their state", resume);
}

}  // namespace expctl
