#include "runner/scheduler.h"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "core/error.h"
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

}  // namespace

double training_fraction(const MetricRecord& metric, const TrainSpec& spec) {
  const double fraction = spec.max_steps > 0
                              ? static_cast<double>(metric.step) / static_cast<double>(spec.max_steps)
                              : metric.epoch / spec.epochs;
  return std::clamp(fraction, 0.0, 1.0);
}

double sweep_eta_s(const std::vector<double>& left_s, size_t queued, double mean_duration_s) {
  if (queued > 0 && mean_duration_s < 0) return -1;
  double work_s = queued > 0 ? static_cast<double>(queued) * mean_duration_s : 0, longest_s = 0;
  for (const double left : left_s) {
    const double known = left >= 0 ? left : mean_duration_s / 2;  // a run that has just begun, or predicts
    if (known < 0) return -1;
    work_s += known;
    longest_s = std::max(longest_s, known);
  }
  return std::max(longest_s, work_s / static_cast<double>(std::max<size_t>(1, left_s.size())));
}

Scheduler::Scheduler(Registry& registry, WorkspacePaths workspace, GpuPool& gpus, SchedulerOptions options)
    : registry_(registry),
      workspace_(std::move(workspace)),
      options_(std::move(options)),
      gpus_(gpus),
      pool_(usable_cpus(), gpus) {}

SchedulerEnd Scheduler::run() {
  SignalWait signals({SIGCHLD, SIGINT, SIGTERM, SIGHUP});
  registry_.changed_elsewhere();
  for (const auto& run : options_.ended_runs) remember(run);
  one_has_lived_ = so_far_.succeeded > 0;
  recover();
  read_queue();
  constexpr double kTick_s = 0.5;
  constexpr double kDrainTick_s = 0.02;  // a GPU is free within moments of its run's end
  double next_tick = 0;
  while (true) {
    const auto ended = collect_ended();
    // The next runs start before a success is taken in, which may take long; failures may stop them.
    const auto record_all = [&](bool successes) {
      for (const auto& one : ended) {
        if ((one.outcome.end == AttemptEnd::kSucceeded) == successes) record(one.run, one.outcome);
      }
    };
    record_all(false);
    look_at_gpus();
    start_what_fits();
    record_all(true);
    if (running_.empty() && (!may_start_more() || !own_left())) return end_;
    const double now = clock_.now_s();
    if (now >= next_tick) {
      next_tick = now + kTick_s;
      if (registry_.changed_elsewhere()) read_queue();
      if (options_.on_tick) options_.on_tick(progress());
    }
    const int signal = signals.wait(gpus_.is_draining() ? kDrainTick_s : next_tick - now);
    const bool time_is_up = options_.until > 0 && clock_.now_s() >= options_.until && end_.signal == 0;
    if ((signal == 0 || signal == SIGCHLD) && !time_is_up) continue;
    end_attempts();
    end_.signal = signal == SIGINT || time_is_up ? SIGINT : SIGTERM;
    const std::string why = time_is_up ? "the time is up: " : "";
    say(running_.empty() ? why + "ending"
                         : why + "ending: the workers save their state; once more to kill them");
  }
}

bool Scheduler::may_start_more() const {
  return end_.signal == 0 && end_.paused.empty() && !(options_.fail_fast && failed_);
}

bool Scheduler::own_unfinished() const {
  const bool runs = std::any_of(running_.begin(), running_.end(),
                                [this](const RunningAttempt& attempt) { return is_own(attempt.run.id); });
  return runs || own_left();
}

bool Scheduler::own_left() const {
  return !queue_.empty() && queue_.front().own;
}

std::string Scheduler::obstacle(const QueuedRecord& run) const {
  if (!run.is_command && options_.worker.empty()) return "there is no expctl-train here";
  try {
    pool_.check(run.resources, run.is_command);
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

/// Others add runs, stop and resume them; what is known of those that stay is kept.
void Scheduler::read_queue() {
  std::map<std::string, QueuedRun> known;
  for (auto& run : queue_) known[run.id] = std::move(run);
  queue_.clear();
  // Enough were started: only those go on that wait for another try.
  const bool enough = options_.max_runs > 0 && static_cast<int64_t>(started_.size()) >= options_.max_runs;
  for (const auto& record : registry_.queued_runs()) {
    if (enough && !started_.contains(record.id)) continue;
    if (const std::string why = obstacle(record); !why.empty()) {
      if (left_.insert(record.id).second) say(fmt::format("{} stays queued: {}", record.id, why));
      continue;
    }
    QueuedRun run{record.id, record.resources, record.is_command, is_own(record.id)};
    if (const auto before = known.find(record.id); before != known.end()) {
      run.not_before = before->second.not_before;
      run.passed_over = before->second.passed_over;
    }
    queue_.push_back(std::move(run));
  }
  std::stable_partition(queue_.begin(), queue_.end(), [](const QueuedRun& run) { return run.own; });
}

void Scheduler::look_at_gpus() {
  for (const auto& change : gpus_.look(clock_.now_s())) say(change);
}

void Scheduler::start_what_fits() {
  while (may_start_more() && own_unfinished() && pool_.has_room()) {
    std::optional<Slot> slot;
    const auto next = next_to_start(
        queue_, clock_.now_s(),
        [&](const QueuedRun& run) {
          slot = pool_.take(run.resources, run.is_command);
          return slot.has_value();
        },
        [&](const QueuedRun& run) { return pool_.is_worth_waiting(run.resources, run.is_command); });
    if (!next) return;
    const std::string run_id = queue_[*next].id;
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(*next));
    start(run_id, std::move(*slot));
  }
}

void Scheduler::start(const std::string& run_id, Slot slot) {
  const RunPaths paths = paths_of(run_id);
  RunRecord run;
  AttemptRecord attempt;
  attempt.run_id = run_id;
  attempt.token = new_token();
  attempt.started = clock_.now_s();
  std::filesystem::remove(paths.stop_request());  // of an earlier attempt; one made from here on is heeded
  try {
    run = registry_.start_attempt(run_id, attempt);
  } catch (const Error&) {
    if (registry_.find_run(run_id).value().state == RunState::kQueued) throw;
    return;  // a person has stopped it this moment
  }
  attempt.attempt = run.attempts;
  started_.insert(run_id);
  if (options_.max_runs > 0 && static_cast<int64_t>(started_.size()) >= options_.max_runs)
    std::erase_if(queue_, [this](const QueuedRun& other) { return !started_.contains(other.id); });
  Outcome outcome;
  outcome.attempt = attempt.attempt;
  outcome.started = attempt.started;
  WorkerRequest request;
  try {
    request = make_request(run, attempt.attempt, attempt.token, slot.devices(), options_.worker, paths);
    inputs_.check(request.spec);
    if (run.attempts > 1)
      request.spec.train.micro_batch = micro_batch_for(request.spec.train, registry_.attempts(run_id));
  } catch (const std::exception& e) {
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
  say(fmt::format("{} started{}", run_id,
                  attempt.attempt > 1 ? fmt::format(" (attempt {})", attempt.attempt) : ""));
}

void Scheduler::launch_attempt(const RunRecord& run, const WorkerRequest& request, double started,
                               Slot slot) {
  const RunPaths paths = paths_of(run.id);
  write_attempt(request, paths);
  write_run_file(run, paths);
  // A GPU stays locked until the supervisor has ended what uses it, also where this process is killed.
  const pid_t pid = launch({{options_.expctl.string(), "job", paths.folder.string()},
                            paths.folder,
                            paths.log(),
                            {{kAttemptVariable, request.attempt_token}},
                            {},
                            slot.lock_descriptors(),
                            SIGTERM});
  running_.push_back({run, request.spec, request.attempt, pid, started, -1, 0, 0, std::move(slot)});
}

std::vector<Scheduler::EndedAttempt> Scheduler::collect_ended() {
  std::vector<EndedAttempt> all;
  for (size_t i = 0; i < running_.size();) {
    if (::waitpid(running_[i].supervisor, nullptr, WNOHANG) == 0) {
      ++i;
      continue;
    }
    auto ended = std::move(running_[i]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    auto outcome = read_outcome(paths_of(ended.run.id), ended.attempt);
    if (!outcome) {
      const auto attempt = registry_.running_attempt(ended.run.id);
      if (attempt) wait_for_leftovers(attempt->token, 0);  // nobody else will end them
      outcome = outcome_without_file(end_.signal == 0, ended.attempt, ended.started, clock_.now_s());
    }
    all.push_back({std::move(ended.run), std::move(*outcome)});
  }
  return all;
}

void Scheduler::learn(const RunRecord& own_run, const Outcome& outcome) {
  if (own_run.state == RunState::kSucceeded) end_.paused.clear();
  const bool waits_for_less =
      own_run.state == RunState::kQueued && outcome.reason == FailReason::kOutOfMemory;
  if (outcome.end == AttemptEnd::kSucceeded || (outcome.end == AttemptEnd::kFailed && !died_early(outcome)))
    one_has_lived_ = true;
  if (one_has_lived_ || outcome.end != AttemptEnd::kFailed || waits_for_less) return;
  died_early_.insert(own_run.id);
  const double now = clock_.now_s();
  const bool one_lives = std::any_of(running_.begin(), running_.end(), [&](const RunningAttempt& attempt) {
    return is_own(attempt.run.id) && now - attempt.started >= kEarly_s;
  });
  if (died_early_.size() < kHopeless || one_lives) return;
  end_.paused =
      fmt::format("the first {} runs have failed within {:.0f} s of their start, {} the last of them",
                  kHopeless, kEarly_s, own_run.id);
}

void Scheduler::record(const RunRecord& run, const Outcome& ended) {
  const RunPaths paths = paths_of(run.id);
  Outcome outcome = ended;
  if (outcome.end != AttemptEnd::kSucceeded && std::filesystem::exists(paths.stop_request())) {
    outcome.end = AttemptEnd::kStopped;  // it ended before its supervisor saw that it was to be stopped
    outcome.reason = FailReason::kNone;
  }
  const AttemptResults results = take_results(run, outcome, paths);
  const RunSpec spec = spec_of(run);
  const bool retry =
      may_retry(outcome, run.retries_used, spec.resources.retries) &&
      (outcome.reason != FailReason::kOutOfMemory || may_shrink(spec, registry_.attempts(run.id)));
  const double delay_s = retry ? retry_delay_s(run.retries_used) : 0;
  // The file first: killed before the commit, the run is still running in the registry, and recover() comes
  // here again.
  const RunRecord now = registry_.finish_attempt(
      run.id, outcome, retry, results, [&](const RunRecord& finished) { write_run_file(finished, paths); });
  if (now.state == RunState::kQueued) {
    QueuedRun again{run.id, spec.resources, spec.is_command(), is_own(run.id)};
    again.not_before = retry ? clock_.now_s() + delay_s : 0;
    const auto behind = again.own ? std::partition_point(queue_.begin(), queue_.end(),
                                                         [](const QueuedRun& other) { return other.own; })
                                  : queue_.end();
    queue_.insert(behind, std::move(again));
  }
  if (now.state == RunState::kFailed && is_own(run.id)) failed_ = true;
  if (is_own(run.id)) {
    remember(now);
    learn(now, outcome);
  }
  say(describe_end(now, outcome, delay_s, paths));
}

void Scheduler::end_attempts() {
  for (const auto& attempt : running_) ::kill(attempt.supervisor, SIGTERM);
}

RunProgress Scheduler::progress_of(RunningAttempt& attempt) const {
  const RunPaths paths = paths_of(attempt.run.id);
  RunProgress one;
  one.id = attempt.run.id;
  one.params = attempt.run.params;
  one.seed = attempt.run.seed;
  one.is_training = !attempt.spec.is_command();
  one.silent_s = stalled_for_s(paths, attempt.started, clock_.now_s());
  const LatestMetrics latest = read_latest_metrics(paths);
  one.f1 = latest.f1;
  if (!latest.step || latest.step->time < attempt.started) return one;
  const MetricRecord& metric = *latest.step;
  one.step = metric.step;
  one.loss = metric.loss;
  one.fraction = training_fraction(metric, attempt.spec.train);
  if (attempt.first_step < 0) {
    attempt.first_step = metric.step;
    attempt.first_step_time = metric.time;
    attempt.first_fraction = one.fraction;
  } else if (one.fraction > attempt.first_fraction) {
    one.eta_s = (metric.time - attempt.first_step_time) * (1 - one.fraction) /
                (one.fraction - attempt.first_fraction);
  }
  return one;
}

SweepProgress Scheduler::progress() {
  SweepProgress all = so_far_;
  std::vector<double> left_s;
  for (auto& attempt : running_) {
    all.running.push_back(progress_of(attempt));
    left_s.push_back(all.running.back().eta_s);
  }
  all.queued = queue_.size();
  const double mean_s = all.succeeded > 0 ? succeeded_s_ / static_cast<double>(all.succeeded) : -1;
  all.eta_s = sweep_eta_s(left_s, all.queued, mean_s);
  return all;
}

void Scheduler::remember(const RunRecord& own_run) {
  if (own_run.state == RunState::kFailed) ++so_far_.failed;
  if (own_run.state != RunState::kSucceeded) return;
  ++so_far_.succeeded;
  succeeded_s_ += own_run.ended - own_run.started;
  if (!own_run.f1 || (!so_far_.best.empty() && *own_run.f1 <= so_far_.best_f1)) return;
  so_far_.best = own_run.id;
  so_far_.best_f1 = *own_run.f1;
}

void Scheduler::say(const std::string& line) const {
  if (options_.on_change) options_.on_change(line);
}

}  // namespace expctl
