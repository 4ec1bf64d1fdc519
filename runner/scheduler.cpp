#include "runner/scheduler.h"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "runner/attempt_files.h"
#include "runner/launcher.h"
#include "runner/process_table.h"
#include "runner/signal_wait.h"

namespace expctl {
namespace {

std::string new_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

/// Waits for what is left of an attempt to end, and kills it after `patience_s`.
void wait_for_leftovers(const std::string& token, double patience_s) {
  constexpr double kPause_s = 0.05;
  constexpr int kTries = 200;
  SignalWait signals({SIGCHLD});
  for (int i = 0; i < kTries; ++i) {
    const auto alive = processes_of_attempt(token);
    if (alive.empty()) return;
    if (i * kPause_s >= patience_s) {
      for (const pid_t pid : alive) ::kill(pid, SIGKILL);
    }
    signals.wait(kPause_s);
  }
  throw Error(
      fmt::format("process {} of an earlier attempt cannot be ended", processes_of_attempt(token).front()),
      "end it by hand, then run the same command again");
}

RunSpec spec_of(const RunRecord& run) {
  return run_spec_from_json(run.spec, "registry: spec of " + run.id);
}

/// What a run is recorded with is what it reads: its files are hashed again.
void check_inputs_unchanged(const RunSpec& spec) {
  const auto check = [](const Input& input, const std::string& now) {
    if (input.sha256 != now)
      throw Error(fmt::format("{}: it has changed since the run was queued", input.path));
  };
  for (const auto& file : {spec.train_data, spec.dev_data}) {
    if (!file.path.empty()) check(file, sha256_file(file.path));
  }
  if (!spec.init.path.empty()) check(spec.init, sha256_folder(spec.init.path));
}

std::string last_line(const std::string& text) {
  return text.substr(text.rfind('\n') + 1);
}

std::string describe_end(const RunRecord& run, const Outcome& outcome, double retry_in_s,
                         const RunPaths& paths) {
  const std::string took = duration_text(outcome.ended - outcome.started);
  if (run.state == RunState::kSucceeded) {
    const std::string score =
        run.f1 ? fmt::format(": F1 {:.2f}, exact match {:.2f}", *run.f1, run.exact_match.value_or(0)) : "";
    return fmt::format("{} succeeded{} ({})", run.id, score, took);
  }
  if (outcome.end == AttemptEnd::kInterrupted)
    return fmt::format("{} interrupted after {}; it is queued again", run.id, took);
  const std::string why = fmt::format("{}{}", name_of(outcome.reason),
                                      outcome.exit_code != 0 ? fmt::format(" {}", outcome.exit_code) : "");
  const std::string next = run.state == RunState::kQueued
                               ? fmt::format("; tried again in {}", duration_text(retry_in_s))
                               : fmt::format("; its log is {}", paths.log().string());
  return fmt::format("{} failed ({}) after {}{}{}{}", run.id, why, took, outcome.message.empty() ? "" : ": ",
                     last_line(outcome.message), next);
}

}  // namespace

double training_fraction(const MetricRecord& metric, const TrainSpec& spec) {
  const double fraction = spec.max_steps > 0
                              ? static_cast<double>(metric.step) / static_cast<double>(spec.max_steps)
                              : metric.epoch / spec.epochs;
  return std::clamp(fraction, 0.0, 1.0);
}

Scheduler::Scheduler(Registry& registry, WorkspacePaths workspace, SchedulerOptions options)
    : registry_(registry),
      workspace_(std::move(workspace)),
      options_(std::move(options)),
      pool_(usable_cpus()) {}

int Scheduler::run() {
  SignalWait signals({SIGCHLD, SIGINT, SIGTERM, SIGHUP});
  recover();
  constexpr double kTick_s = 0.5;
  while (true) {
    collect_ended();
    if (may_start_more()) start_what_fits();
    if (running_.empty() && (!may_start_more() || !own_left())) return signal_;
    if (options_.on_tick) options_.on_tick(progress(), queued().size());
    const int signal = signals.wait(kTick_s);
    if (signal == 0 || signal == SIGCHLD) continue;
    signal_ = signal == SIGINT ? SIGINT : SIGTERM;
    say(running_.empty() ? "ending" : "ending: the workers save their state; once more to kill them");
    end_attempts();
  }
}

bool Scheduler::may_start_more() const {
  return signal_ == 0 && !(options_.fail_fast && failed_);
}

bool Scheduler::own_unfinished() const {
  const bool runs = std::any_of(running_.begin(), running_.end(), [this](const RunningAttempt& attempt) {
    return options_.own_runs.contains(attempt.run.id);
  });
  return runs || own_left();
}

bool Scheduler::own_left() const {
  const auto runs = queued();
  return std::any_of(runs.begin(), runs.end(), [this](const RunRecord& run) {
    return options_.own_runs.contains(run.id) && !left_.contains(run.id);
  });
}

std::string Scheduler::obstacle(const RunSpec& spec) const {
  if (!spec.is_command() && options_.worker.empty()) return "there is no expctl-train here";
  try {
    pool_.check(spec);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void Scheduler::recover() {
  RunFilter filter;
  filter.state = RunState::kRunning;
  filter.ensembles = false;
  for (const auto& run : registry_.list_runs(filter)) {
    const auto attempt = registry_.running_attempt(run.id);
    if (!attempt)
      throw Error(fmt::format("registry: {} is running without an attempt", run.id), "expctl registry check");
    // Its supervisor was told to end it when its scheduler died, and takes a grace of its own.
    constexpr double kPatience_s = 5;
    wait_for_leftovers(attempt->token, kPatience_s);
    const auto outcome = read_outcome(paths_of(run.id), attempt->attempt);
    record(run, outcome ? *outcome
                        : outcome_without_file(false, attempt->attempt, attempt->started, clock_.now_s()));
  }
}

std::vector<RunRecord> Scheduler::queued() const {
  RunFilter filter;
  filter.state = RunState::kQueued;
  filter.ensembles = false;
  auto runs = registry_.list_runs(filter);
  // Enough were started: only those go on that wait for another try.
  if (options_.max_runs > 0 && static_cast<int64_t>(started_.size()) >= options_.max_runs) {
    std::erase_if(runs, [this](const RunRecord& run) { return !started_.contains(run.id); });
  }
  return runs;
}

void Scheduler::start_what_fits() {
  while (may_start_more() && own_unfinished()) {
    std::vector<QueuedRun> queue;
    std::vector<RunRecord> runs;
    for (auto& run : queued()) {
      if (left_.contains(run.id)) continue;
      const auto waits = not_before_.find(run.id);
      queue.push_back(
          {run.id, options_.own_runs.contains(run.id), waits == not_before_.end() ? 0 : waits->second});
      runs.push_back(std::move(run));
    }
    const auto next = next_to_start(queue, clock_.now_s());
    if (!next) return;
    const RunSpec spec = spec_of(runs[*next]);
    if (const std::string why = obstacle(spec); !why.empty()) {
      left_.insert(runs[*next].id);
      say(fmt::format("{} stays queued: {}", runs[*next].id, why));
      continue;
    }
    auto slot = pool_.take(spec);
    if (!slot) return;
    start(runs[*next], spec, std::move(*slot));
  }
}

void Scheduler::start(const RunRecord& run, const RunSpec& spec, Slot slot) {
  const RunPaths paths = paths_of(run.id);
  AttemptRecord attempt;
  attempt.run_id = run.id;
  attempt.token = new_token();
  attempt.started = clock_.now_s();
  attempt.attempt = registry_.start_attempt(run.id, attempt);
  started_.insert(run.id);
  Outcome outcome;
  outcome.attempt = attempt.attempt;
  outcome.started = attempt.started;
  WorkerRequest request;
  try {
    check_inputs_unchanged(spec);
    request = make_request(run, attempt.attempt, attempt.token, slot.devices(), options_.worker, paths);
  } catch (const Error& e) {
    outcome.reason = FailReason::kFailedToStart;
    outcome.message = e.what();
    outcome.ended = clock_.now_s();
    record(run, outcome);
    return;
  }
  try {
    launch_attempt(run, request, attempt.started, std::move(slot));
  } catch (const Error& e) {
    // A full disk, no more processes: nothing that the run could help, and the next would fare alike.
    outcome.end = AttemptEnd::kInterrupted;
    outcome.message = e.what();
    outcome.ended = clock_.now_s();
    record(run, outcome);
    throw;
  }
  say(fmt::format("{} started{}", run.id,
                  attempt.attempt > 1 ? fmt::format(" (attempt {})", attempt.attempt) : ""));
}

void Scheduler::launch_attempt(const RunRecord& run, const WorkerRequest& request, double started,
                               Slot slot) {
  const RunPaths paths = paths_of(run.id);
  write_attempt(request, paths);
  write_run_file(registry_.find_run(run.id).value(), paths);
  const pid_t pid = launch({{options_.expctl.string(), "job", paths.folder.string()},
                            paths.folder,
                            paths.log(),
                            {{kAttemptVariable, request.attempt_token}},
                            {},
                            SIGTERM});
  running_.push_back({run, request.attempt, pid, started, -1, 0, 0, std::move(slot)});
}

void Scheduler::collect_ended() {
  for (size_t i = 0; i < running_.size();) {
    if (::waitpid(running_[i].supervisor, nullptr, WNOHANG) == 0) {
      ++i;
      continue;
    }
    const auto ended = std::move(running_[i]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    auto outcome = read_outcome(paths_of(ended.run.id), ended.attempt);
    if (!outcome) {
      const auto attempt = registry_.running_attempt(ended.run.id);
      if (attempt) wait_for_leftovers(attempt->token, 0);  // nobody else will end them
      outcome = outcome_without_file(signal_ == 0, ended.attempt, ended.started, clock_.now_s());
    }
    record(ended.run, *outcome);
  }
}

Outcome Scheduler::take_results(const RunRecord& run, Outcome outcome, const RunPaths& paths) {
  const bool succeeded = outcome.end == AttemptEnd::kSucceeded;
  std::optional<std::vector<MetricRecord>> metrics;
  std::optional<EvaluationRecord> evaluation;
  std::vector<ArtifactRecord> artifacts;
  try {
    metrics = read_metrics(paths);
    if (succeeded) {
      evaluation = read_evaluation(run, paths);
      artifacts = read_artifacts(run.id, paths);
    }
  } catch (const std::exception& e) {
    // What the job has left cannot be read: that is its failure, not the scheduler's.
    if (succeeded) {
      outcome.end = AttemptEnd::kFailed;
      outcome.reason = FailReason::kExitCode;
      outcome.message = e.what();
    }
  }
  if (metrics) registry_.set_metrics(run.id, *metrics);
  if (outcome.end != AttemptEnd::kSucceeded) return outcome;
  if (evaluation) registry_.set_evaluation(*evaluation);
  registry_.set_artifacts(run.id, artifacts);
  return outcome;
}

void Scheduler::record(const RunRecord& run, const Outcome& ended) {
  const RunPaths paths = paths_of(run.id);
  // Results first: once the success is recorded nobody comes back for them.
  const Outcome outcome = take_results(run, ended, paths);
  const bool retry = may_retry(outcome, run.retries_used, spec_of(run).resources.retries);
  const double delay_s = retry ? retry_delay_s(run.retries_used) : 0;
  registry_.finish_attempt(run.id, outcome, retry);
  if (retry) not_before_[run.id] = clock_.now_s() + delay_s;
  const RunRecord now = registry_.find_run(run.id).value();
  write_run_file(now, paths);
  if (now.state == RunState::kFailed && options_.own_runs.contains(run.id)) failed_ = true;
  say(describe_end(now, outcome, delay_s, paths));
}

void Scheduler::end_attempts() {
  for (const auto& attempt : running_) ::kill(attempt.supervisor, SIGTERM);
}

std::vector<RunProgress> Scheduler::progress() {
  std::vector<RunProgress> all;
  for (auto& attempt : running_) {
    RunProgress one;
    one.id = attempt.run.id;
    const auto metric = read_last_metric(paths_of(attempt.run.id));
    if (metric && metric->time >= attempt.started) {
      const RunSpec spec = spec_of(attempt.run);
      one.step = metric->step;
      one.loss = metric->loss;
      one.fraction = training_fraction(*metric, spec.train);
      if (attempt.first_step < 0) {
        attempt.first_step = metric->step;
        attempt.first_step_time = metric->time;
        attempt.first_fraction = one.fraction;
      } else if (one.fraction > attempt.first_fraction) {
        one.eta_s = (metric->time - attempt.first_step_time) * (1 - one.fraction) /
                    (one.fraction - attempt.first_fraction);
      }
    }
    all.push_back(one);
  }
  return all;
}

void Scheduler::say(const std::string& line) const {
  if (options_.on_change) options_.on_change(line);
}

}  // namespace expctl
