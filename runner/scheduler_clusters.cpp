// The part of the scheduler that deals with clusters: which runs become jobs, and what is told of those.
#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "runner/attempt_end.h"
#include "runner/attempt_request.h"
#include "runner/claim.h"
#include "runner/record_files.h"
#include "runner/scheduler.h"

namespace expctl {

ClusterExecutor& Scheduler::cluster(const std::string& kind) {
  const auto found = clusters_.find(kind);
  if (found != clusters_.end()) return found->second;
  return clusters_
      .emplace(std::piecewise_construct, std::forward_as_tuple(kind),
               std::forward_as_tuple(kind, workspace_, options_.expctl,
                                     [this](const std::string& line) { say(line); }))
      .first->second;
}

ClusterExecutor* Scheduler::cluster_of(const std::string& run_id) {
  for (auto& [kind, executor] : clusters_) {
    if (executor.has(run_id)) return &executor;
  }
  return nullptr;
}

void Scheduler::take_up_jobs() {
  for (auto& array : read_job_arrays(workspace_)) {
    cluster(array.executor).take_up(array, [this](const std::string& run_id) {
      const auto run = registry_.find_run(run_id);
      if (!run) return ClusterExecutor::Known{0, false, true, false, {}};  // of a registry that was lost
      const RunSpec spec = spec_of(*run);
      if (run->state == RunState::kRunning) on_clusters_[run_id] = {*run, spec, run->attempts, run->started};
      if (!is_finished(run->state)) started_.insert(run_id);
      return ClusterExecutor::Known{run->attempts, run->state == RunState::kRunning, is_finished(run->state),
                                    run->state == RunState::kStopped, spec};
    });
  }
  std::erase_if(on_clusters_, [this](const auto& entry) { return cluster_of(entry.first) == nullptr; });
}

void Scheduler::look_at_clusters() {
  bool has_changed = false;
  for (auto& [kind, executor] : clusters_) {
    if (!may_start_more()) withdraw_waiting();
    const auto events = executor.look(clock_.now_s());
    for (const auto& event : events) on_cluster_event(executor, event);
    executor.tidy();
    has_changed = has_changed || !events.empty();
  }
  if (has_changed) read_queue();
}

void Scheduler::on_cluster_event(ClusterExecutor& from, const ClusterEvent& event) {
  switch (event.kind) {
    case ClusterEvent::kBegan:
      return begin_on_cluster(from, event);
    case ClusterEvent::kEnded:
      if (const auto running = on_clusters_.find(event.run_id); running != on_clusters_.end()) {
        const RunRecord run = running->second.run;
        on_clusters_.erase(running);
        record(run, event.outcome);
      }
      return;
    case ClusterEvent::kCancelled:
      if (!find_or_forget(event.run_id)) return;
      if (registry_.apply_event(event.run_id, RunEvent::kStopped,
                                [&] { write_run_file(registry_, event.run_id, paths_of(event.run_id)); })) {
        own_ended_ = true;
        say(fmt::format("{} stopped: its job was cancelled on the cluster", event.run_id));
      }
      return;
    case ClusterEvent::kReleased:
      if (event.has_begun)
        vanished_.erase(event.run_id);
      else
        on_vanished(event.run_id);
      return;
  }
}

std::optional<RunRecord> Scheduler::find_or_forget(const std::string& run_id) {
  auto run = registry_.find_run(run_id);
  if (run) return run;
  own_ended_ = true;
  vanished_.erase(run_id);
  std::erase_if(queue_, [&](const QueuedRun& queued) { return queued.record.id == run_id; });
  if (ClusterExecutor* executor = cluster_of(run_id)) executor->withdraw(run_id);
  return std::nullopt;
}

/// Its job is gone without having begun: the cluster may do the same with the next.
void Scheduler::on_vanished(const std::string& run_id) {
  const auto run = find_or_forget(run_id);
  if (!run || run->state != RunState::kQueued || !may_start_more()) return;
  constexpr int kMost = 3;
  constexpr double kFirstDelay_s = 10;
  Vanished& vanished = vanished_[run_id];
  if (++vanished.times < kMost) {
    vanished.not_before = clock_.now_s() + kFirstDelay_s * vanished.times;
    return;
  }
  vanished_.erase(run_id);
  const AttemptRecord attempt = new_attempt(run_id, run->attempts + 1);
  const Outcome outcome = failed_outcome(FailReason::kFailedToStart,
                                         fmt::format("{} times its job was gone before it had begun", kMost));
  if (const auto begun = begin_unless_left(attempt)) record(*begun, ended_now(attempt, outcome));
}

void Scheduler::begin_on_cluster(ClusterExecutor& from, const ClusterEvent& event) {
  AttemptRecord attempt = new_attempt(event.run_id, event.claim.attempt);
  attempt.token = attempt_token(event.claim);
  attempt.started = event.claim.time;
  const auto run = begin_unless_left(attempt);
  if (!run) return from.withdraw(event.run_id);  // its supervisor sees that it was stopped, too
  on_clusters_[event.run_id] = {*run, spec_of(*run), run->attempts, attempt.started};
  say(fmt::format("{} started as job {}{}", event.run_id, event.claim.job,
                  run->attempts > 1 ? fmt::format(" (attempt {})", run->attempts) : ""));
}

void Scheduler::submit_what_may() {
  if (!may_start_more() || !own_unfinished()) return;
  const double now_s = clock_.now_s();
  std::map<std::string, std::vector<NewJob>> by_kind;
  std::map<std::string, size_t> room;        // of a sweep's cap
  std::map<std::string, std::string> group;  // an array keeps to the cap by itself, two do not
  for (size_t i = 0; i < queue_.size();) {
    const QueuedRun queued = queue_[i++];
    const auto& [id, demand, kind] = queued.record;
    if (kind == "local" || queued.not_before > now_s) continue;
    const auto run = find_or_forget(id);
    if (!run) {
      --i;  // it has left the queue
      continue;
    }
    const RunSpec spec = spec_of(*run);
    const int64_t cap = spec.executor.max_parallel;
    const std::string wants = array_group(run->sweep_id, spec);
    const size_t unfinished = cluster(kind).count(run->sweep_id);
    size_t& left = room.try_emplace(run->sweep_id, may_submit(queue_.size(), unfinished, cap)).first->second;
    if (left == 0 || (cap > 0 && group.try_emplace(run->sweep_id, wants).first->second != wants)) continue;
    --left;
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(--i));
    if (run->state != RunState::kQueued) {  // stopped this moment
      own_ended_ = true;
      continue;
    }
    if (auto request = request_for_cluster(*run)) {
      by_kind[kind].push_back({run->sweep_id, std::move(*request)});
      count_as_started(run->id);
    }
  }
  for (const auto& [kind, jobs] : by_kind) hand_to(cluster(kind), jobs);
}

std::optional<WorkerRequest> Scheduler::request_for_cluster(const RunRecord& run) {
  const RunPaths paths = paths_of(run.id);
  const AttemptRecord attempt = new_attempt(run.id, run.attempts + 1);
  constexpr int kThreadsOfItsJob = 0;
  auto request = prepare(run, attempt, {{}, kThreadsOfItsJob, {}});
  if (!request) return std::nullopt;
  remove_end_requests(paths);
  try {
    // Not run.json, which says the same as before: a person may stop the run this moment.
    write_attempt(*request, paths);
    return request;
  } catch (const std::filesystem::filesystem_error& e) {  // as Scheduler::start() has it
    if (const auto begun = begin_unless_left(attempt))
      record(*begun, ended_now(attempt, failed_outcome(FailReason::kFailedToStart, e.what())));
    return std::nullopt;
  }
}

/// What the cluster refuses ends the sweep, unless something of it is at work: then it is tried again later.
void Scheduler::hand_to(ClusterExecutor& executor, const std::vector<NewJob>& jobs) {
  try {
    executor.submit(jobs);
  } catch (const Error& e) {
    if (local_.size() == 0 && !own_on_cluster()) throw;
    constexpr double kTryAgain_s = 120;
    say(fmt::format("{}; tried again in {}", e.what(), duration_text(kTryAgain_s)));
    for (const auto& job : jobs) {
      if (!executor.has(job.request.run_id))
        vanished_[job.request.run_id].not_before = clock_.now_s() + kTryAgain_s;
    }
    read_queue();
  }
}

/// Whether the sweep file has been edited since (its resources, or the executor's), or the run was removed.
bool Scheduler::asks_for_other(const ClusterExecutor& executor, const std::string& run_id) const {
  const auto run = registry_.find_run(run_id);
  return !run || array_group(run->sweep_id, spec_of(*run)) != executor.group_of(run_id);
}

/// Jobs whose run a person has stopped meanwhile, or has given to another executor.
void Scheduler::withdraw_what_left(const std::vector<QueuedRecord>& queued) {
  std::map<std::string, std::string> executors;
  for (const auto& record : queued) executors[record.id] = record.executor;
  for (auto& [kind, executor] : clusters_) {
    for (const auto& id : executor.run_ids()) {
      const auto now = executors.find(id);
      if (!executor.is_waiting(id)) continue;
      const bool is_wanted = now != executors.end() && now->second == kind;
      if (!is_wanted || asks_for_other(executor, id)) executor.withdraw(id);
    }
  }
}

/// Nothing more is to be started: what has not begun stays queued.
void Scheduler::withdraw_waiting() {
  if (end_signal_ != 0) return;  // the jobs go on without this process
  for (auto& [kind, executor] : clusters_) {
    for (const auto& id : executor.run_ids()) {
      if (is_own(id) && executor.is_waiting(id)) executor.withdraw(id);
    }
  }
}

bool Scheduler::own_on_cluster() {
  return std::any_of(clusters_.begin(), clusters_.end(), [this](const auto& entry) {
    const auto ids = entry.second.run_ids();
    return std::any_of(ids.begin(), ids.end(), [this](const std::string& id) { return is_own(id); });
  });
}

}  // namespace expctl
