#include "cli/sweep_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "cli/check_inputs.h"
#include "cli/config_commit.h"
#include "cli/replicate.h"
#include "cli/sweep_checks.h"
#include "cli/sweep_copy.h"
#include "cli/sweep_end.h"
#include "cli/sweep_plan.h"
#include "cli/sweep_runs.h"
#include "cli/sweep_schedule.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "experiments/own_options.h"
#include "registry/registry.h"
#include "runner/find_worker.h"
#include "runner/launcher.h"
#include "runner/machine_gpus.h"
#include "runner/slots.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// Where expctl-train is. Commands do without; the scheduler leaves other sweeps' native runs queued then.
fs::path worker_for(const std::vector<RunSpec>& specs) {
  try {
    return find_worker(self_path());
  } catch (const Error&) {
    const bool native =
        std::any_of(specs.begin(), specs.end(), [](const RunSpec& s) { return !s.is_command(); });
    if (native) throw;
    return {};
  }
}

/// The sweep's runs, in the order of the entries; without those that a person has removed meanwhile.
std::vector<RunRecord> own_records(const Registry& registry, const std::string& sweep_id,
                                   const std::vector<SweepEntry>& entries) {
  RunFilter filter;
  filter.sweep_id = sweep_id;
  std::map<std::string, RunRecord> by_id;
  for (auto& run : registry.list_runs(filter)) by_id[run.id] = std::move(run);
  std::vector<RunRecord> runs;
  for (const auto& entry : entries) {
    if (const auto found = by_id.find(entry.run_id); found != by_id.end())
      runs.push_back(std::move(found->second));
  }
  return runs;
}

std::string absolute_file(const SweepRunOptions& options) {
  return fs::absolute(options.file).lexically_normal().string();
}

/// The sweep's id where it has been begun before, else "".
std::string id_of(const Registry& registry, const SweepRunOptions& options) {
  const std::string hash = sha256(sweep_copy(options.file, options.settings));
  for (const auto& sweep : registry.list_sweeps()) {
    if (sweep.file == absolute_file(options) && sweep.content_sha256 == hash) return sweep.id;
  }
  return "";
}

SweepRecord sweep_record(Registry& registry, const WorkspacePaths& workspace, const SweepSpec& sweep,
                         const SweepRunOptions& options) {
  const std::string content = sweep_copy(options.file, options.settings);
  const SweepRecord record =
      registry.add_sweep(sweep.name, absolute_file(options), sha256(content), SystemClock().now_s());
  make_folder(workspace.folder(record.id));
  write_file(workspace.sweep_file(record.id), content);
  return record;
}

/// --executor in place of the file's.
void use_executor(SweepSpec& sweep, const SweepRunOptions& options) {
  sweep.base.executor.kind = options.executor;
  if (const std::string own = own_option_in(sweep.base.executor); !own.empty())
    throw Error(fmt::format("{}: {}", options.file, own_option_text(own)), "", ErrorCode::kUsage);
}

/// Those that are known, and where more are proposed later some that they could be.
std::vector<RunSpec> specs_to_check(const SweepSpec& sweep, const SweepRuns& runs) {
  auto specs = runs.specs();
  if (runs.to_come() > 0) {
    for (auto& config : sample_configs(sweep)) specs.push_back(std::move(config));
  }
  return specs;
}

/// The same command without --detach, in a session of its own.
int go_on_in_background(const Program& program) {
  const fs::path log = program.workspace().scheduler_log();
  std::vector<std::string> argv = {self_path().string()};
  for (const auto& argument : program.arguments) {
    if (argument != "--detach" && !argument.starts_with("--detach=")) argv.push_back(argument);
  }
  const pid_t pid = launch({argv, fs::current_path(), log, {}, {}, {}, 0});
  say(program, fmt::format("process {} goes on; what it says is in {}", pid, log.string()));
  say(program, fmt::format("to look: expctl{0} runs   to end it: kill {1}", workspace_option(program), pid));
  return 0;
}

}  // namespace

int run_sweep(const Program& program, SweepSpec sweep, const SweepRunOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a sweep outlives whoever reads its messages
  if (!options.executor.empty()) use_executor(sweep, options);
  find_inputs(sweep);
  sweep.base.config_commit = config_commit(options.file);
  sweep.base.config_folder = fs::absolute(options.file).parent_path().lexically_normal().string();
  const WorkspacePaths workspace = program.workspace();
  auto before = Registry::open_if_there(workspace.registry());
  SweepRuns runs(sweep, workspace, options.retry_failed);
  runs.look(before ? &*before : nullptr, before ? id_of(*before, options) : "");
  if (options.replicate > 0) {
    if (!before) before = Registry::open_existing(workspace.registry());  // says what is missing
    runs.add(with_more_seeds(sweep, runs.specs(), *before, options.replicate, options.best), *before);
  }
  const auto specs = specs_to_check(sweep, runs);
  for (const auto& warning : check_inputs(specs, sweep.method == SweepMethod::kTpe))
    say(program, "warning: " + warning);
  MachineGpus gpus(options.gpus);
  const fs::path worker = worker_for(specs);
  const SlotPool pool(usable_cpus(), gpus.pool(), computes_on_gpus(worker));
  check_can_run(sweep, specs, pool);
  if (const auto warning = lag_warning(sweep, pool); runs.to_come() > 0 && !warning.empty())
    say(program, "warning: " + warning);
  if (options.dry_run) {
    print_plan(program, runs, before ? &*before : nullptr, pool, options.retry_failed);
    return 0;
  }
  check_clusters(sweep, runs, options.retry_failed);
  before.reset();
  make_folder(workspace.root);
  if (options.detach) return go_on_in_background(program);
  Registry registry = Registry::open(workspace.registry());
  const SweepRecord record = sweep_record(registry, workspace, sweep, options);
  runs.look(&registry, record.id);
  const auto skipped = std::count_if(runs.entries().begin(), runs.entries().end(),
                                     [](const SweepEntry& e) { return e.standing == Standing::kSucceeded; });
  runs.enter(registry, record.id);
  say(program, fmt::format("{}: {}, {} of them done already{}", record.id,
                           counted(runs.entries().size(), "run"), skipped,
                           runs.to_come() > 0
                               ? fmt::format("; {} more are proposed as results come in", runs.to_come())
                               : ""));
  const SchedulerEnd end = schedule(program, registry, gpus.pool(), record.id, runs, worker, options);
  const auto records = own_records(registry, record.id, runs.entries());
  print_results(program, record.id, records);
  say_next(program, end, record.id, records);
  if (const auto left = others_left_text(registry, runs.entries());
      end.signal == 0 && !left.empty() && !is_anyone_scheduling(workspace))
    say(program, left);
  return exit_code(end, records, options.max_runs > 0);
}

}  // namespace expctl
