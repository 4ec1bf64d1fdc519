// `expctl stop ID ...` and `expctl resume ID ...`: runs that a person takes out, and back in.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/sweep_copy.h"
#include "cli/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "registry/registry.h"
#include "runner/claim.h"
#include "runner/record_files.h"

namespace expctl {
namespace {

/// The runs that the words name; of a sweep those which `concerns` says so of. Queued ones come first: none
/// of them is to start where another of them has ended.
std::vector<RunRecord> find_runs(const Registry& registry, const std::vector<std::string>& words,
                                 bool (*concerns)(RunState)) {
  auto runs = registry.resolve_runs(words, [&](const RunRecord& run) { return concerns(run.state); });
  for (const auto& run : runs) {
    if (run.is_ensemble())
      throw Error(fmt::format("{} is an ensemble: there is nothing to stop or resume", run.id), "",
                  ErrorCode::kUsage);
  }
  std::stable_partition(runs.begin(), runs.end(),
                        [](const RunRecord& run) { return run.state == RunState::kQueued; });
  return runs;
}

/// Whether a job of a cluster has begun the run, and no expctl has taken that in yet.
bool has_begun_unseen(const RunRecord& run, const RunPaths& paths) {
  // A run that was resumed has an old claim and no request until its next attempt.
  if (run.state != RunState::kQueued || !std::filesystem::exists(paths.claim()) ||
      !std::filesystem::exists(paths.request()))
    return false;
  const auto request = worker_request_from_json(read_json(paths.request()), paths.request().string());
  const auto claims = read_claims(paths, request.attempt_token);
  return !claims.empty() && claims.back().attempt > run.attempts;
}

/// False where it had ended before, or was removed.
bool ask_to_stop(Registry& registry, const std::string& run_id, const RunPaths& paths) {
  const auto run = registry.find_run(run_id);
  if (!run) return false;
  if (has_begun_unseen(*run, paths)) {
    write_file(paths.stop_request(), "");
    return true;
  }
  if (registry.apply_event(run_id, RunEvent::kStopped, [&] { write_run_file(registry, run_id, paths); })) {
    // A job of a cluster may begin before anybody cancels it.
    if (std::filesystem::exists(paths.request())) write_file(paths.stop_request(), "");
    return true;
  }
  const auto now = registry.find_run(run_id);
  if (!now || now->state != RunState::kRunning) return false;
  make_folder(paths.folder);
  write_file(paths.stop_request(), "");
  return true;
}

/// The state once the run is neither queued nor running, or when time is up.
RunState wait_for_end(const Registry& registry, const std::string& run_id, double until) {
  const SystemClock clock;
  while (true) {
    const auto run = registry.find_run(run_id);
    if (!run) return RunState::kStopped;  // and removed since
    if (is_finished(run->state) || clock.now_s() >= until) return run->state;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int stop(const Program& program, const std::vector<std::string>& words) {
  Registry registry = Registry::open_existing(program.workspace().registry());
  const auto runs = find_runs(registry, words, [](RunState state) { return !is_finished(state); });
  if (runs.empty()) say(program, fmt::format("{}: no run is queued or running", join(words, ", ")));
  bool all_stopped = !runs.empty();
  std::vector<std::string> asked;
  for (const auto& run : runs) {
    if (ask_to_stop(registry, run.id, program.workspace().run(run.id))) {
      asked.push_back(run.id);
      continue;
    }
    const auto now = registry.find_run(run.id);  // it may have ended since
    say(program, fmt::format("{} is {} already", run.id, now ? name_of(now->state) : "removed"));
    all_stopped = false;
  }
  for (const auto& word : words) {
    if (std::filesystem::exists(program.workspace().trials(word)))
      say(program, fmt::format("{} proposes further trials as long as its command is at work: interrupt that "
                               "(Ctrl-C) to end the search",
                               word));
  }
  // A worker has 30 s to save its state.
  constexpr double kPatience_s = 40;
  const double until = SystemClock().now_s() + kPatience_s;
  for (const auto& id : asked) {
    const RunState state = wait_for_end(registry, id, until);
    if (!is_finished(state)) {
      throw Error(fmt::format("{} has not ended within {:.0f} s", id, kPatience_s),
                  "is a sweep at work here? Else the next one will take it as stopped");
    }
    if (state == RunState::kStopped) {
      say(program, fmt::format("{} is stopped; to take it up again: expctl{} resume {}", id,
                               workspace_option(program), id));
    } else {
      say(program, fmt::format("{} has {} before it could be stopped", id, name_of(state)));
      all_stopped = false;
    }
  }
  return all_stopped ? 0 : static_cast<int>(ErrorCode::kError);
}

/// What brings a run to its end that cannot be resumed; "" where nothing has to.
std::string hint_for(const RunRecord& run) {
  if (run.state == RunState::kFailed) return "expctl sweep FILE --retry-failed tries failed runs again";
  if (run.state == RunState::kPruned)
    return fmt::format(
        "expctl rm {}, then expctl sweep FILE without its [early_stop], trains it from the beginning",
        run.id);
  return "";
}

/// The command that goes on with a sweep.
std::string command_for(const Program& program, const SweepRecord& sweep) {
  const std::filesystem::path copy = program.workspace().sweep_file(sweep.id);
  const auto settings =
      std::filesystem::exists(copy) ? settings_in_copy(read_file(copy)) : std::vector<std::string>();
  std::string command = fmt::format("expctl{} {} {}", workspace_option(program),
                                    settings.empty() ? "sweep" : "train", shell_quote(sweep.file));
  for (const auto& setting : settings) command += " --set " + shell_quote(setting);
  return command;
}

int resume(const Program& program, const std::vector<std::string>& words) {
  Registry registry = Registry::open_existing(program.workspace().registry());
  const auto runs = find_runs(registry, words, [](RunState state) { return state == RunState::kStopped; });
  if (runs.empty()) throw Error(fmt::format("{}: no run is stopped", join(words, ", ")));
  for (const auto& run : runs) {
    if (run.state != RunState::kStopped)
      throw Error(fmt::format("{} is {}, not stopped", run.id, name_of(run.state)), hint_for(run));
  }
  for (const auto& run : runs) {
    const RunPaths paths = program.workspace().run(run.id);
    const bool is_queued = registry.apply_event(run.id, RunEvent::kResumed, [&] {
      // A job of a cluster that still waits for the stopped attempt finds no request then, and does nothing.
      std::filesystem::remove(paths.request());
      std::filesystem::remove(paths.stop_request());
      write_run_file(registry, run.id, paths);
    });
    if (!is_queued) continue;  // somebody else has, this moment
    const auto sweep = registry.find_sweep(run.sweep_id);
    say(program, fmt::format("{} is queued; a sweep at work here takes it up, else: {}", run.id,
                             sweep ? command_for(program, *sweep) : "expctl sweep FILE"));
  }
  return 0;
}

void add_verb(CLI::App& app, Program& program, const char* name, const char* what,
              int (*act)(const Program&, const std::vector<std::string>&)) {
  auto* verb = app.add_subcommand(name, what);
  verb->footer(fmt::format("Example: expctl {} run3", name));
  auto ids = std::make_shared<std::vector<std::string>>();
  verb->add_option("ID", *ids, "run3, @ (the newest), ...; sweep1 for its runs")->required()->expected(1, -1);
  on_call(verb, program, [&program, ids, act] { return act(program, *ids); });
}

}  // namespace

void add_stop(CLI::App& app, Program& program) {
  add_verb(app, program, "stop", "Stop runs; a training saves its state first", stop);
}

void add_resume(CLI::App& app, Program& program) {
  add_verb(app, program, "resume", "Queue stopped runs again; they go on from their state", resume);
}

}  // namespace expctl
