#include "runner/scheduler.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "runner/attempt_end.h"
#include "runner/attempt_request.h"
#include "runner/attempt_results.h"
#include "runner/claim.h"
#include "runner/file_lock.h"
#include "runner/find_worker.h"
#include "runner/record_files.h"
#include "runner/signal_wait.h"
#include "runner/sweep_queue.h"
#include "runner/walltime.h"

namespace expctl {

Scheduler::Scheduler(Registry& registry, WorkspacePaths workspace, GpuPool& gpus, SchedulerOptions options)
    : registry_(registry),
      workspace_(std::move(workspace)),
      options_(std::move(options)),
      gpus_(gpus),
      local_(gpus, options_.expctl, computes_on_gpus(options_.worker)),
      early_stopping_(workspace_) {}

SchedulerEnd Scheduler::run() {
  try {
    return work();
  } catch (...) {  // a registry that another program holds, a full disk
    // Trainings get the time to save their state; the next scheduler takes in how they ended.
    local_.end_all();
    while (local_.size() > 0) {
      local_.collect(workspace_);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw;
  }
}

void Scheduler::limit_to_allocation() {
  if (options_.allocation_end == 0) return;
  past_ = past_runs(registry_);
  const double left_s = options_.allocation_end - clock_.now_s();
  const double time_to_save = options_.allocation_end - walltime_lead_s(left_s);
  options_.until = options_.until > 0 ? std::min(options_.until, time_to_save) : time_to_save;
}

SchedulerEnd Scheduler::work() {
  SignalWait signals({SIGCHLD, SIGINT, SIGTERM, SIGHUP});
  limit_to_allocation();
  if (!options_.ended_runs.empty()) {
    auto seconds = registry_.attempt_seconds();
    for (const auto& run : options_.ended_runs) tally_.add(run, seconds[run.id]);
  }
  take_up_jobs();
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
    look_at_clusters();
    take_up_more();
    submit_what_may();
    const bool over = is_over();
    if ((over || end_signal_ != 0) && local_.size() == 0)
      return {end_signal_, tally_.why_paused(), is_time_up_};
    if (over && end_signal_ == 0 && !own_running())
      hand_over();
    else
      over_since_ = 0;
    const double now_s = clock_.now_s();
    if (now_s >= next_tick) {
      next_tick = now_s + kTick_s;
      look_around();
    }
    // A clock that is set back makes no longer wait.
    if (next_tick > now_s + kTick_s) next_tick = now_s + kTick_s;
    const int signal = signals.wait(gpus_.is_draining() ? kDrainTick_s : next_tick - now_s);
    const bool time_is_up = options_.until > 0 && clock_.now_s() >= options_.until && end_signal_ == 0;
    if (time_is_up)
      begin_end(SIGINT, "the time is up: ");
    else if (signal != 0 && signal != SIGCHLD)
      begin_end(signal == SIGINT ? SIGINT : SIGTERM, "");
    is_time_up_ = is_time_up_ || time_is_up;
  }
}

void Scheduler::look_around() {
  if (registry_.changed_elsewhere()) {
    read_queue();
    own_ended_ = true;  // a person may have stopped one
  }
  look_at_rungs();
  if (options_.on_tick) options_.on_tick(progress());
}

void Scheduler::begin_end(int signal, const std::string& why) {
  local_.end_all();
  end_signal_ = signal;
  say(why + (local_.size() == 0 ? "ending" : "ending: the workers save their state; once more to kill them"));
}

bool Scheduler::may_start_more() const {
  return end_signal_ == 0 && tally_.why_paused().empty() && !(options_.fail_fast && tally_.has_failed());
}

bool Scheduler::own_left() const {
  return !queue_.empty() && queue_.front().own;
}

bool Scheduler::own_running() {
  const auto running = local_.running();
  return std::any_of(running.begin(), running.end(),
                     [this](const RunningAttempt* attempt) { return is_own(attempt->run.id); });
}

bool Scheduler::own_unfinished() {
  return own_left() || own_on_cluster() || own_running();
}

bool Scheduler::is_over() {
  return !own_on_cluster() && (!may_start_more() || (!own_left() && !own_ended_));
}

void Scheduler::hand_over() {
  const double now_s = clock_.now_s();
  if (over_since_ == 0 || over_since_ > now_s) over_since_ = now_s;
  // A sweep that has nothing to wait for has let go of the lock by then.
  constexpr double kPatience_s = 2;
  if (now_s - over_since_ < kPatience_s) return;
  const auto running = local_.running();
  const bool all_trainings = std::all_of(running.begin(), running.end(), [](const RunningAttempt* attempt) {
    return !attempt->spec.is_command();
  });
  const bool someone_waits = !FileLock::try_take(workspace_.waiting_lock());
  if (all_trainings && someone_waits) {
    if (local_.end_trainings())
      say("it starts no more: what runs goes on with the sweep that waits, from where it is");
    return;
  }
  if (has_said_whom_it_awaits_) return;
  has_said_whom_it_awaits_ = true;
  std::vector<std::string> ids;
  for (const auto* attempt : running) ids.push_back(attempt->run.id);
  say(fmt::format(
      "it starts no more, and waits for {} of others; an interrupt (Ctrl-C) ends that too, and it "
      "is queued again",
      join(ids, ", ")));
}

std::string Scheduler::obstacle(const QueuedRecord& run) const {
  if (!run.demand.is_command && options_.worker.empty()) return "there is no expctl-train here";
  return run.executor == "local" ? local_.obstacle(run.demand) : "";
}

void Scheduler::recover() {
  RunFilter filter;
  filter.state = RunState::kRunning;
  filter.ensembles = false;
  for (const auto& run : registry_.list_runs(filter)) {
    if (cluster_of(run.id) != nullptr) continue;
    const auto attempt = registry_.running_attempt(run.id);
    if (!attempt)
      throw Error(fmt::format("registry: {} is running without an attempt", run.id), "expctl registry check");
    // Its supervisor was told to end it when its scheduler died, and takes a grace of its own.
    constexpr double kPatience_s = 5;
    wait_for_leftovers(attempt->token, kPatience_s);
    const auto outcome = read_outcome(paths_of(run.id), attempt->attempt);
    record(run, outcome ? *outcome : ended_now(*attempt, outcome_without_file(false)));
  }
}

/// Others add runs, stop and resume them; what is known of those that stay is kept.
void Scheduler::read_queue() {
  std::map<std::string, QueuedRun> known;
  for (auto& run : queue_) known[run.record.id] = std::move(run);
  queue_.clear();
  const auto records = registry_.queued_runs();
  for (const auto& record : records) add_to_queue(record, known);
  std::stable_partition(queue_.begin(), queue_.end(), [](const QueuedRun& run) { return run.own; });
  withdraw_what_left(records);
}

void Scheduler::take_up_more() {
  if (!options_.more_runs) own_ended_ = false;
  if (!own_ended_ || !may_start_more()) return;
  own_ended_ = false;
  const MoreRuns more = options_.more_runs();
  options_.to_come = more.to_come;
  if (more.ids.empty()) return;
  options_.own_runs.insert(more.ids.begin(), more.ids.end());
  read_queue();
  start_what_fits();
}

void Scheduler::add_to_queue(const QueuedRecord& record, const std::map<std::string, QueuedRun>& known) {
  // Where enough were started, only those go on that wait for another try.
  const bool enough = options_.max_runs > 0 && static_cast<int64_t>(started_.size()) >= options_.max_runs;
  if ((enough && !started_.contains(record.id)) || cluster_of(record.id) != nullptr) return;
  if (const std::string why = obstacle(record); !why.empty()) {
    if (left_.insert(record.id).second) say(fmt::format("{} stays queued: {}", record.id, why));
    return;
  }
  QueuedRun run{record, is_own(record.id)};
  if (const auto gone = vanished_.find(record.id); gone != vanished_.end())
    run.not_before = gone->second.not_before;
  if (const auto before = known.find(record.id); before != known.end()) {
    run.not_before = std::max(run.not_before, before->second.not_before);
    run.passed_over = before->second.passed_over;
  }
  queue_.push_back(std::move(run));
}

void Scheduler::look_at_gpus() {
  for (const auto& change : gpus_.look(clock_.now_s())) say(change);
}

void Scheduler::start_what_fits() {
  SlotPool& slots = local_.slots();
  while (may_start_more() && own_unfinished() && slots.has_room()) {
    std::optional<Slot> slot;
    const Room room = {[&](const QueuedRun& run) {
                         slot = slots.take(run.record.demand);
                         return slot.has_value();
                       },
                       [&](const QueuedRun& run) { return slots.is_worth_waiting(run.record.demand); },
                       [&](const QueuedRun& a, const QueuedRun& b) {
                         return slots.compete(a.record.demand, b.record.demand);
                       }};
    const auto next = next_to_start(queue_, clock_.now_s(), room);
    if (!next) return;
    const std::string run_id = queue_[*next].record.id;
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(*next));
    if (!is_too_long(run_id)) start(run_id, std::move(*slot));
  }
}

bool Scheduler::is_too_long(const std::string& run_id) {
  if (options_.allocation_end == 0) return false;
  const double left_s = options_.until - clock_.now_s();
  const auto run = registry_.find_run(run_id);
  if (!run) return false;  // removed meanwhile, as it will be seen
  const auto needed_s = expected_duration_s(spec_of(*run), past_);
  if (!needed_s || *needed_s <= left_s) return false;
  if (left_.insert(run_id).second) {
    say(fmt::format("{} stays queued: it takes about {}, and {} are left of this allocation", run_id,
                    duration_text(*needed_s), duration_text(std::max(0.0, left_s))));
  }
  return true;
}

void Scheduler::count_as_started(const std::string& run_id) {
  started_.insert(run_id);
  if (options_.max_runs > 0 && static_cast<int64_t>(started_.size()) >= options_.max_runs)
    std::erase_if(queue_, [this](const QueuedRun& other) { return !started_.contains(other.record.id); });
}

RunRecord Scheduler::begin(const AttemptRecord& attempt) {
  return registry_.start_attempt(
      attempt.run_id, attempt, [&] { write_run_file(registry_, attempt.run_id, paths_of(attempt.run_id)); });
}

std::optional<RunRecord> Scheduler::begin_unless_left(const AttemptRecord& attempt) {
  try {
    return begin(attempt);
  } catch (const Error&) {
    const auto now = find_or_forget(attempt.run_id);
    if (now && now->state == RunState::kQueued) throw;
    own_ended_ = true;
    return std::nullopt;
  }
}

std::optional<WorkerRequest> Scheduler::prepare(const RunRecord& run, const AttemptRecord& attempt,
                                                const DeviceAssignment& devices) {
  try {
    WorkerRequest request =
        make_request(run, attempt.attempt, attempt.token, devices, options_.worker, paths_of(run.id));
    inputs_.check(request.spec);
    if (attempt.attempt > 1)
      request.spec.train.micro_batch = micro_batch_for(request.spec, registry_.attempts(run.id));
    return request;
  } catch (const std::exception& e) {
    const Outcome outcome = ended_now(attempt, failed_outcome(FailReason::kFailedToStart, e.what()));
    record(run.state == RunState::kQueued ? begin(attempt) : run, outcome);
    return std::nullopt;
  }
}

void Scheduler::start(const std::string& run_id, Slot slot) {
  const RunPaths paths = paths_of(run_id);
  AttemptRecord attempt = new_attempt(run_id);
  remove_end_requests(paths);
  const auto begun = begin_unless_left(attempt);
  if (!begun) return;
  const RunRecord& run = *begun;
  attempt.attempt = run.attempts;
  count_as_started(run_id);
  const auto request = prepare(run, attempt, slot.devices());
  if (!request) return;
  try {
    write_attempt(*request, paths);
    local_.start({run, request->spec, attempt.attempt, attempt.started}, std::move(slot), paths,
                 attempt.token);
  } catch (const std::filesystem::filesystem_error& e) {
    // What a job has left in its own folder: others may be started.
    return record(run, ended_now(attempt, failed_outcome(FailReason::kFailedToStart, e.what())));
  } catch (const std::exception& e) {
    // A full disk, no more processes: nothing that the run could help, and the next would fare alike.
    record(run, ended_now(attempt, interrupted_outcome(e.what())));
    throw;
  }
  say(fmt::format("{} started{}", run_id,
                  attempt.attempt > 1 ? fmt::format(" (attempt {})", attempt.attempt) : ""));
}

AttemptRecord Scheduler::new_attempt(const std::string& run_id, int attempt) const {
  return {run_id, attempt, new_token(), clock_.now_s(), 0, "", FailReason::kNone};
}

Outcome Scheduler::ended_now(const AttemptRecord& attempt, Outcome outcome) const {
  return of_attempt(std::move(outcome), attempt.attempt, attempt.started, clock_.now_s());
}

std::vector<Scheduler::EndedAttempt> Scheduler::collect_ended() {
  std::vector<EndedAttempt> all;
  for (auto& ended : local_.collect(workspace_)) {
    if (!ended.outcome)
      ended.outcome = of_attempt(outcome_without_file(end_signal_ == 0 && !ended.was_told), ended.attempt,
                                 ended.started, clock_.now_s());
    all.push_back({std::move(ended.run), std::move(*ended.outcome)});
  }
  return all;
}

void Scheduler::record(const RunRecord& run, const Outcome& outcome) {
  const double now_s = clock_.now_s();
  // What it has reported since the last look counts for the others.
  constexpr bool kIsAtWork = false;
  early_stopping_.look(run, spec_of(run), kIsAtWork, now_s);
  const RecordedEnd end = record_end(run, outcome, registry_, paths_of(run.id));
  if (end.run.state == RunState::kQueued) queue_again(end, end.is_retried ? now_s + end.delay_s : 0);
  double seconds = 0;  // of all its attempts; asked for of successes only
  if (end.run.state == RunState::kSucceeded) {
    for (const auto& attempt : registry_.attempts(run.id)) seconds += attempt.ended - attempt.started;
  }
  if (is_own(run.id)) {
    const auto running = all_running();
    const bool one_lives = std::any_of(running.begin(), running.end(), [&](const RunningAttempt* attempt) {
      return is_own(attempt->run.id) && now_s - attempt->started >= kEarly_s;
    });
    tally_.learn(end, seconds, one_lives);
    own_ended_ = own_ended_ || is_finished(end.run.state);
  }
  if (options_.allocation_end > 0 && end.run.state == RunState::kSucceeded)
    past_.push_back({end.spec, seconds});
  say(describe(end, paths_of(run.id)));
}

void Scheduler::queue_again(const RecordedEnd& end, double not_before) {
  const std::string& id = end.run.id;
  if (cluster_of(id) != nullptr) return;  // it has queued the job itself
  QueuedRun again{{id, end.spec.demand(), end.spec.executor.kind}, is_own(id), not_before};
  const auto behind = again.own ? std::partition_point(queue_.begin(), queue_.end(),
                                                       [](const QueuedRun& other) { return other.own; })
                                : queue_.end();
  queue_.insert(behind, std::move(again));
}

void Scheduler::look_at_rungs() {
  for (const auto* attempt : all_running()) {
    constexpr bool kIsAtWork = true;
    for (const auto& decision :
         early_stopping_.look(attempt->run, attempt->spec, kIsAtWork, clock_.now_s())) {
      if (decision.goes_on) say(fmt::format("{} goes on: {}", attempt->run.id, decision_text(decision)));
    }
  }
}

std::vector<RunningAttempt*> Scheduler::all_running() {
  auto all = local_.running();
  for (auto& [id, attempt] : on_clusters_) all.push_back(&attempt);
  return all;
}

SweepProgress Scheduler::progress() {
  SweepProgress all = tally_.counts();
  std::vector<double> left_s;
  for (auto* attempt : all_running()) {
    all.running.push_back(progress_of(*attempt, paths_of(attempt->run.id), clock_.now_s()));
    left_s.push_back(all.running.back().eta_s);
  }
  all.queued = queue_.size();
  for (const auto& [kind, executor] : clusters_) {
    for (const auto& id : executor.run_ids()) all.queued += executor.is_waiting(id) ? 1 : 0;
  }
  all.to_come = options_.to_come;
  all.eta_s = sweep_eta_s(left_s, all.queued + all.to_come, tally_.mean_duration_s());
  return all;
}

void Scheduler::say(const std::string& line) const {
  if (options_.on_change) options_.on_change(line);
}

}  // namespace expctl
