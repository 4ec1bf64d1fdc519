#include "cli/sweep_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "cli/check_inputs.h"
#include "cli/published.h"
#include "cli/replicate.h"
#include "cli/run_progress.h"
#include "cli/sweep_end.h"
#include "cli/sweep_runs.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "experiments/own_options.h"
#include "registry/registry.h"
#include "reports/leaderboard.h"
#include "reports/table.h"
#include "runner/cluster.h"
#include "runner/command_line.h"
#include "runner/estimate.h"
#include "runner/file_lock.h"
#include "runner/find_worker.h"
#include "runner/job_array.h"
#include "runner/launcher.h"
#include "runner/machine_gpus.h"
#include "runner/ranks_command.h"
#include "runner/scheduler.h"
#include "runner/slots.h"
#include "runner/sweep_queue.h"
#include "runner/walltime.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// Hashes the files that the sweep names; of one that is missing says where it is named, and where it is to
/// be had.
void find_inputs(SweepSpec& sweep) {
  try {
    hash_inputs(sweep);
  } catch (const Error& e) {
    std::string hint = e.hint();
    for (const Input* input : {&sweep.base.train_data, &sweep.base.dev_data, &sweep.base.init}) {
      if (input->path.empty() || fs::exists(input->path)) continue;
      if (const auto fetching = fetch_command(input->path); !fetching.empty()) hint = fetching + " gets it";
      break;
    }
    throw Error(at_its_place(sweep, e.what()), hint, e.code());
  }
}

/// What a CPU or a GPU does not compute.
void check_computable(const RunSpec& spec, bool on_gpu) {
  if (on_gpu && spec.train.optimizer == "lamb")
    throw Error("optimizer = \"lamb\": a GPU does not compute it", "set gpus = 0, or use \"adamw\"");
  if (on_gpu) return;
  for (const auto& precision : {spec.train.precision, spec.train.eval_precision})
    check_cpu_precision(precision);
}

/// What of the command lines and resources can be known to fail before the first run starts.
void check_can_run(const std::vector<RunSpec>& specs, const SlotPool& pool) {
  for (const auto& spec : specs) {
    if (spec.executor.is_local()) pool.check(spec.resources, spec.is_command());
    if (!spec.is_command())
      check_computable(spec, spec.executor.is_local() ? pool.gpus_for({spec.resources, false})
                                                      : job_script_for(spec).gpus > 0);
    if (spec.executor.is_local() && rank_count(spec) > 1) check_ranks_command();
    if (spec.is_command()) fill_command(spec.command.argv, command_values(spec, "run1", "run_dir"));
  }
}

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

/// The first line that git prints in a folder, "" where there is none.
std::string git_line(const fs::path& folder, const std::string& words) {
  const std::string command = fmt::format("git -C {} {} 2>/dev/null", shell_quote(folder.string()), words);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> git(::popen(command.c_str(), "re"), &::pclose);
  char line[128] = {};
  if (!git || std::fgets(line, sizeof line, git.get()) == nullptr) return "";
  return std::string(trim(line));
}

/// The git commit of the sweep file's folder, "-dirty" where it does not hold the file as it is; "" where
/// there is none.
std::string config_commit(const fs::path& file) {
  const fs::path folder = fs::absolute(file).parent_path();
  const std::string commit = git_line(folder, "rev-parse HEAD");
  if (commit.empty()) return "";
  const std::string change =
      git_line(folder, "status --porcelain --ignored -- " + shell_quote(file.filename().string()));
  return commit + (change.empty() ? "" : "-dirty");
}

std::string_view describe(Standing standing, bool retry_failed) {
  switch (standing) {
    case Standing::kNew:
      return "new";
    case Standing::kSucceeded:
      return "succeeded, skipped";
    case Standing::kOpen:
      return "goes on";
    case Standing::kFailed:
      return retry_failed ? "failed, tried again" : "failed, left";
    case Standing::kEnded:
      return "ended, left";
  }
  return "";
}

/// As much of a record as a run has before it is registered.
RunRecord planned(const RunSpec& spec) {
  RunRecord run;
  run.params = spec.params;
  run.seed = spec.train.seed;
  return run;
}

/// Whether the sweep has nothing to do for it.
bool is_left(const SweepEntry& entry, bool retry_failed) {
  return entry.standing == Standing::kSucceeded || entry.standing == Standing::kEnded ||
         (entry.standing == Standing::kFailed && !retry_failed);
}

/// Seconds until all that is to be done has ended, of a cluster's jobs as if one ran after another; nothing
/// where no run like one of them has ended yet.
std::optional<double> expected_total_s(const SweepRuns& runs, bool retry_failed,
                                       const std::vector<PastRun>& past, const SlotPool& pool) {
  double total = 0, last = 0;
  for (const auto& entry : runs.entries()) {
    const auto seconds = expected_duration_s(entry.spec, past);
    const bool is_local = entry.spec.executor.is_local();
    const size_t at_once = is_local ? pool.side_by_side(entry.spec.demand()) : 1;
    last = seconds.value_or(0) / static_cast<double>(at_once);
    if (is_left(entry, retry_failed)) continue;
    if (!seconds) return std::nullopt;
    total += last;
  }
  if (runs.to_come() > 0 && last == 0) return std::nullopt;
  return total + last * static_cast<double>(runs.to_come());
}

/// Throws Error where runs are to be handed to a cluster and cannot be.
void check_clusters(const SweepSpec& sweep, const SweepRuns& runs, bool retry_failed) {
  if (sweep.base.executor.is_local()) return;
  const auto& entries = runs.entries();
  const bool all_left = std::all_of(entries.begin(), entries.end(),
                                    [&](const SweepEntry& entry) { return is_left(entry, retry_failed); });
  if (!all_left || runs.to_come() > 0) check_submit_program(sweep.base.executor.kind);
}

/// Where more runs fit on this machine than may be at work at once.
void warn_of_lag(const Program& program, const SweepSpec& sweep, const SlotPool& pool) {
  if (!sweep.base.executor.is_local()) return;
  const size_t fit = pool.side_by_side(sweep.base.demand());
  const size_t may = static_cast<size_t>(sweep.lag) * sweep.seeds.size();
  if (fit <= may) return;
  say(program, fmt::format("warning: lag = {} lets {} be at work at once, and {} fit on this machine: a "
                           "larger lag uses it better, and each trial knows less",
                           sweep.lag, counted(may, "run"), fit));
}

/// How the runs would be handed to a cluster; "" for this machine. The names of the files are not known yet.
std::string example_script(const Program& program, const std::vector<SweepEntry>& entries,
                           bool retry_failed) {
  std::vector<const SweepEntry*> wanted;
  for (const auto& entry : entries) {
    if (!is_left(entry, retry_failed)) wanted.push_back(&entry);
  }
  if (wanted.empty() || wanted.front()->spec.executor.is_local()) return "";
  const RunSpec& spec = wanted.front()->spec;
  JobScript script = job_script_for(spec);
  script.key = "KEY";
  script.tasks = wanted.size();
  script.expctl = self_path().string();
  script.folder = program.workspace().root;
  script.paths = program.workspace().job_array("sweepN", script.key);
  return make_cluster(spec.executor.kind)->script(script);
}

/// `to_come`: so many runs are proposed later.
int print_plan(const Program& program, const std::vector<SweepEntry>& entries, size_t to_come,
               bool retry_failed, std::optional<double> total_s) {
  const std::string script = example_script(program, entries, retry_failed);
  Json runs = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : entries) {
    const auto what = describe(entry.standing, retry_failed);
    if (program.json) {
      runs.push_back({{"id", entry.run_id.empty() ? Json() : Json(entry.run_id)},
                      {"plan", what},
                      {"params", entry.spec.params},
                      {"seed", entry.spec.train.seed}});
    } else {
      rows.push_back(
          {entry.run_id.empty() ? "new" : entry.run_id, std::string(what), params_text(planned(entry.spec))});
    }
  }
  if (program.json)
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"runs", runs},
                                {"to_come", to_come},
                                {"script", script.empty() ? Json() : Json(script)},
                                {"expected_s", total_s ? Json(*total_s) : Json()}}));
  else
    fmt::print("{}{}{}", render_table({"id", "plan", "parameters"}, rows, stdout_style()),
               script.empty() ? "" : "\n", script);
  if (to_come > 0)
    say(program, fmt::format("{} proposed later, from the results of these",
                             counted(to_come, "more run is", "more runs are")));
  say(program, total_s ? fmt::format("about {} {}, from the runs before", duration_text(*total_s),
                                     script.empty() ? "on this machine" : "of computing in all")
                       : "how long it will take is not known: no run like these has succeeded here yet");
  return 0;
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

/// Runs of others that are queued for this machine: whoever schedules starts them where its own leave room.
/// "" where there are none.
std::string others_queued_text(const Program& program, const Registry& registry,
                               const std::vector<SweepEntry>& entries) {
  std::set<std::string> own;
  for (const auto& entry : entries) own.insert(entry.run_id);
  std::vector<std::string> others;
  for (const auto& queued : registry.queued_runs()) {
    if (!own.contains(queued.id) && queued.executor == "local") others.push_back(queued.id);
  }
  if (others.empty()) return "";
  constexpr size_t kNamed = 8;
  std::string named = join({others.begin(), others.begin() + std::min(others.size(), kNamed)}, " ");
  if (others.size() > kNamed) named += " ...";
  const bool is_one = others.size() == 1;
  return fmt::format(
      "{} queued here; {} only while this sweep leaves room (expctl{} stop {} keeps {} from it)",
      counted(others.size(), "run of another sweep is", "runs of other sweeps are"),
      is_one ? "it starts" : "they start", workspace_option(program), named, is_one ? "it" : "them");
}

/// What was asked of a scheduler that another command has begun without it; "": nothing.
std::string unheeded_text(const SweepRunOptions& options) {
  std::vector<std::string> unheeded;
  if (options.max_runs > 0) unheeded.emplace_back("--max-runs");
  if (options.fail_fast) unheeded.emplace_back("--fail-fast");
  if (options.until > 0) unheeded.emplace_back("--until");
  if (!options.gpus.empty()) unheeded.emplace_back("--gpus");
  return unheeded.empty() ? "" : fmt::format(", which does not heed {}", join(unheeded, ", "));
}

/// Schedules, or waits for the scheduler that is at work in this workspace; takes over where that one ends.
SchedulerEnd schedule(const Program& program, Registry& registry, GpuPool& gpus, const std::string& sweep_id,
                      SweepRuns& sweep, const fs::path& worker, const SweepRunOptions& options) {
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
      SchedulerOptions scheduling;
      scheduling.expctl = self_path();
      scheduling.worker = worker;
      scheduling.fail_fast = options.fail_fast;
      scheduling.max_runs = options.max_runs;
      scheduling.until = options.until;
      scheduling.allocation_end = allocation_end().value_or(0);
      for (const auto& entry : sweep.entries()) scheduling.own_runs.insert(entry.run_id);
      scheduling.to_come = sweep.to_come();
      scheduling.more_runs = more_runs;
      RunFilter filter;
      filter.sweep_id = sweep_id;
      registry.for_each_run(filter, [&](RunRecord&& run) {
        if (scheduling.own_runs.contains(run.id) && is_finished(run.state))
          scheduling.ended_runs.push_back(std::move(run));
      });
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

/// The file's content and what --set changed of it: what the sweep folder keeps.
std::string sweep_content(const SweepRunOptions& options) {
  std::string content = read_file(options.file);
  for (const auto& setting : options.settings) content += fmt::format("# --set {}\n", setting);
  return content;
}

std::string absolute_file(const SweepRunOptions& options) {
  return fs::absolute(options.file).lexically_normal().string();
}

/// The sweep's id where it has been begun before, else "".
std::string id_of(const Registry& registry, const SweepRunOptions& options) {
  const std::string hash = sha256(sweep_content(options));
  for (const auto& sweep : registry.list_sweeps()) {
    if (sweep.file == absolute_file(options) && sweep.content_sha256 == hash) return sweep.id;
  }
  return "";
}

SweepRecord sweep_record(Registry& registry, const WorkspacePaths& workspace, const SweepSpec& sweep,
                         const SweepRunOptions& options) {
  const std::string content = sweep_content(options);
  const SweepRecord record =
      registry.add_sweep(sweep.name, absolute_file(options), sha256(content), SystemClock().now_s());
  make_folder(workspace.folder(record.id));
  write_file(workspace.sweep_file(record.id), content);
  return record;
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
  if (!options.executor.empty()) {
    sweep.base.executor.kind = options.executor;
    if (const std::string own = own_option_in(sweep.base.executor); !own.empty())
      throw Error(fmt::format("{}: {}", options.file, own_option_text(own)), "", ErrorCode::kUsage);
  }
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
  auto specs = runs.specs();
  if (runs.to_come() > 0) {
    for (auto& config : sample_configs(sweep)) specs.push_back(std::move(config));
  }
  for (const auto& warning : check_inputs(specs, sweep.method == SweepMethod::kTpe))
    say(program, "warning: " + warning);
  MachineGpus gpus(options.gpus);
  const fs::path worker = worker_for(specs);
  const SlotPool pool(usable_cpus(), gpus.pool(), computes_on_gpus(worker));
  try {
    check_can_run(specs, pool);
  } catch (const Error& e) {
    throw Error(at_its_place(sweep, e.what()), e.hint(), e.code());
  }
  if (runs.to_come() > 0) warn_of_lag(program, sweep, pool);
  if (options.dry_run) {
    if (before) {
      if (const auto others = others_queued_text(program, *before, runs.entries()); !others.empty())
        say(program, others);
    }
    const auto past = before ? past_runs(*before) : std::vector<PastRun>();
    return print_plan(program, runs.entries(), runs.to_come(), options.retry_failed,
                      expected_total_s(runs, options.retry_failed, past, pool));
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
  return exit_code(end, records, options.max_runs > 0);
}

}  // namespace expctl
