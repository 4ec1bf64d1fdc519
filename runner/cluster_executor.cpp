#include "runner/cluster_executor.h"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "runner/attempt_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr size_t kMostTasks = 1000;  // Slurm's usual MaxArraySize allows indices below 1001
constexpr double kToolTimeout_s = 30;
constexpr double kSettled_s = 5;  // what a compute node wrote last may be seen here later
constexpr double kShortestPause_s = 1;
constexpr double kLongestPause_s = 20;
constexpr double kTryAgain_s = 30;

std::string new_key() {
  std::random_device device;
  return fmt::format("{:08x}", device());
}

Outcome interrupted(const std::string& message) {
  Outcome outcome;
  outcome.end = AttemptEnd::kInterrupted;
  outcome.message = message;
  return outcome;
}

Outcome failed(FailReason reason, const std::string& message) {
  Outcome outcome;
  outcome.reason = reason;
  outcome.message = message;
  return outcome;
}

Outcome out_of_time(bool may_go_on) {
  if (may_go_on) return interrupted("the time of the cluster's job was over");
  return failed(FailReason::kTimedOut,
                "the time of the cluster's job was over before the run had saved a state");
}

/// Whether the run has saved a state to go on from since then.
bool has_saved_since(const RunPaths& paths, double time) {
  std::error_code absent;
  for (fs::directory_iterator it(paths.state(), absent), end; !absent && it != end; it.increment(absent)) {
    const auto written = fs::last_write_time(it->path(), absent);
    if (absent) break;
    const auto age = fs::file_time_type::clock::now() - written;
    if (SystemClock().now_s() - std::chrono::duration<double>(age).count() >= time) return true;
  }
  return false;
}

/// Whether the request in the folder is still the one with this token.
bool has_request(const RunPaths& paths, const std::string& token) {
  try {
    const std::string source = paths.request().string();
    return worker_request_from_json(read_json(paths.request()), source).attempt_token == token;
  } catch (const Error&) {
    return false;
  }
}

/// What an array's jobs have in common.
std::string asked_for(const NewJob& one) {
  const RunSpec& spec = one.request.spec;
  const JobScript script = job_script_for(spec);
  return json_line({one.sweep_id, script.gpus, script.cpus, script.walltime_s, to_json(spec.executor)});
}

}  // namespace

std::optional<Outcome> end_of_attempt(const AttemptView& view) {
  if (view.written && view.written->end != AttemptEnd::kInterrupted) return view.written;
  if (view.state == TaskState::kUnknown || view.state == TaskState::kRunning) return std::nullopt;
  if (!view.written && !view.is_settled) return std::nullopt;
  const bool is_told_by_time = view.written && view.written->signal == SIGUSR1;
  Outcome end;
  switch (view.state) {
    case TaskState::kCancelled:
      end = view.written.value_or(interrupted("its job was cancelled by expctl"));
      if (!view.is_withdrawn) {
        end.end = AttemptEnd::kStopped;
        end.message = "its job was cancelled on the cluster";
      }
      return end;
    case TaskState::kTimedOut:
      return out_of_time(view.may_go_on);
    case TaskState::kPending:
      return view.written.value_or(interrupted("the cluster has queued its job again"));
    case TaskState::kPreempted:
      return view.written.value_or(interrupted("preempted on the cluster"));
    case TaskState::kNodeFailed:
      return view.written.value_or(interrupted("its node has failed"));
    default:
      break;
  }
  if (is_told_by_time) return out_of_time(view.may_go_on);
  if (view.written) return view.written;
  if (view.state == TaskState::kOutOfMemory)
    return failed(FailReason::kOutOfMemory, "the cluster ended its job for lack of memory");
  return failed(FailReason::kLost, "its job has ended without a word of the supervisor");
}

size_t may_submit(size_t waiting, size_t unfinished, int64_t cap) {
  if (cap == 0 || unfinished == 0) return waiting;
  const auto at_once = static_cast<size_t>(cap);
  return unfinished >= at_once ? 0 : std::min(waiting, at_once - unfinished);
}

ClusterExecutor::ClusterExecutor(const std::string& kind, WorkspacePaths workspace, fs::path expctl,
                                 std::function<void(const std::string&)> say)
    : kind_(kind),
      cluster_(make_cluster(kind)),
      workspace_(std::move(workspace)),
      expctl_(std::move(expctl)),
      say_(std::move(say)),
      pause_s_(kShortestPause_s) {}

void ClusterExecutor::take_up(JobArray record, const std::function<Known(const std::string&)>& known) {
  auto array = std::make_unique<Array>(Array{std::move(record), 0, 0});
  for (size_t i = 0; i < array->record.tasks.size(); ++i) {
    const JobTask& job = array->record.tasks[i];
    const Known run = known(job.run_id);
    // Another attempt has been made since, or the run has ended: then the job is of the past.
    const int begun = run.attempts - job.attempt + 1;
    if (run.is_finished || begun < 0 || tasks_.contains(job.run_id)) continue;
    Task task;
    task.array = array.get();
    task.index = i;
    task.job = job;
    task.spec = run.spec;
    if (!has_request(paths_of(task), job.token)) continue;
    task.claims_seen = begun;
    if (run.is_open && begun > 0) {
      task.open_attempt = run.attempts;
      const auto claims = read_claims(paths_of(task), job.token);
      if (static_cast<size_t>(begun) <= claims.size())
        task.open_since = claims[static_cast<size_t>(begun) - 1].time;
    }
    tasks_[job.run_id] = std::move(task);
  }
  arrays_.push_back(std::move(array));
}

void ClusterExecutor::submit(const std::vector<NewJob>& runs) {
  std::vector<std::pair<std::string, std::vector<const NewJob*>>> groups;
  for (const auto& run : runs) {
    const std::string wants = asked_for(run);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
      return g.first == wants && g.second.size() < kMostTasks;
    });
    if (group == groups.end()) group = groups.insert(groups.end(), {wants, {}});
    group->second.push_back(&run);
  }
  for (const auto& [wants, members] : groups) {
    auto array = std::make_unique<Array>();
    array->record.key = new_key();
    array->record.sweep_id = members.front()->sweep_id;
    array->record.executor = kind_;
    for (const auto* member : members) {
      const WorkerRequest& request = member->request;
      array->record.tasks.push_back({request.run_id, request.attempt_token, request.attempt});
    }
    JobScript script = job_script_for(members.front()->request.spec);
    script.key = array->record.key;
    script.tasks = members.size();
    script.expctl = expctl_.string();
    script.folder = workspace_.root;
    script.paths = workspace_.job_array(array->record.sweep_id, script.key);
    make_folder(script.paths.folder);
    write_file(script.paths.script(), cluster_->script(script));
    write_job_array(array->record, workspace_);  // from here on another expctl would find it
    try {
      hand_in(*array);
    } catch (const Error&) {
      remove_job_array(array->record, workspace_);
      fs::remove(script.paths.script());
      throw;
    }
    for (size_t i = 0; i < members.size(); ++i) {
      Task task;
      task.array = array.get();
      task.index = i;
      task.job = array->record.tasks[i];
      task.spec = members[i]->request.spec;
      tasks_[task.job.run_id] = std::move(task);
    }
    arrays_.push_back(std::move(array));
  }
  pause_s_ = kShortestPause_s;
  next_listing_ = 0;
}

void ClusterExecutor::hand_in(Array& array) {
  const JobArrayPaths paths = workspace_.job_array(array.record.sweep_id, array.record.key);
  const ToolResult result = ToolCall(cluster_->submit_command(paths.script()), kToolTimeout_s).wait();
  const auto id = cluster_->submitted_id(result);
  const double now = SystemClock().now_s();
  array.asked = now;
  array.next_try = now + kTryAgain_s;
  set_reachable(id.has_value());
  if (!id) return;
  array.record.job_id = *id;
  write_job_id(array.record, workspace_);
  const size_t count = array.record.tasks.size();
  say_(fmt::format("{} run{} handed to {} as job {}", count, count == 1 ? "" : "s", kind_, *id));
}

std::vector<ClusterEvent> ClusterExecutor::look(double now) {
  std::vector<ClusterEvent> events;
  if (tasks_.empty()) {
    drop_finished_arrays();
    return events;
  }
  if (listing_) {
    if (const auto result = listing_->poll()) {
      listing_.reset();
      take_in_listing(*result, now);
      cancel_withdrawn();
    }
  }
  std::erase_if(cancels_, [](ToolCall& call) { return call.poll().has_value(); });
  for (auto entry = tasks_.begin(); entry != tasks_.end();) {
    const bool is_done = examine(entry->second, now, events);
    entry = is_done ? tasks_.erase(entry) : std::next(entry);
  }
  if (!events.empty()) {
    pause_s_ = kShortestPause_s;
    next_listing_ = std::min(next_listing_, now + pause_s_);
    drop_finished_arrays();
  }
  list_when_due(now);
  return events;
}

bool ClusterExecutor::examine(Task& task, double now, std::vector<ClusterEvent>& events) {
  // A job that waits has written nothing; of thousands each look would cost.
  if (task.state == TaskState::kPending && task.open_attempt == 0) return false;
  open_claims(task, now, events);
  const bool is_settled = task.over_since > 0 && now - task.over_since >= kSettled_s;
  if (task.open_attempt == 0) {
    if (!is_over(task.state) || !is_settled) return false;
    tell_unbegun(task, now, events);
    return true;
  }
  const RunPaths paths = paths_of(task);
  AttemptView view;
  view.written = read_outcome(paths, task.open_attempt);
  view.state = task.state;
  view.is_settled = is_settled || task.state == TaskState::kPending;
  view.is_withdrawn = task.is_withdrawn;
  view.may_go_on = !task.spec.is_command() && has_saved_since(paths, task.open_since);
  auto outcome = end_of_attempt(view);
  if (!outcome) return false;
  outcome->attempt = task.open_attempt;
  if (!view.written) {
    outcome->started = task.open_since;
    outcome->ended = now;
  }
  task.open_attempt = 0;
  events.push_back({ClusterEvent::kEnded, task.job.run_id, {}, *outcome});
  const bool stays = outcome->end == AttemptEnd::kInterrupted && !is_over(task.state);
  return !stays;
}

/// Each claim is an attempt; one that another follows was interrupted.
void ClusterExecutor::open_claims(Task& task, double now, std::vector<ClusterEvent>& events) {
  const RunPaths paths = paths_of(task);
  if (!fs::exists(paths.claim(task.claims_seen))) return;
  const auto claims = read_claims(paths, task.job.token);
  for (; static_cast<size_t>(task.claims_seen) < claims.size(); ++task.claims_seen) {
    const Claim& claim = claims[static_cast<size_t>(task.claims_seen)];
    if (task.open_attempt != 0) {
      Outcome outcome = interrupted("the cluster has queued its job again");
      outcome.attempt = task.open_attempt;
      outcome.started = task.open_since;
      outcome.ended = claim.time;
      events.push_back({ClusterEvent::kEnded, task.job.run_id, {}, outcome});
    }
    task.open_attempt = claim.attempt;
    task.open_since = claim.time;
    task.open_seen = now;
    events.push_back({ClusterEvent::kBegan, task.job.run_id, claim, {}});
    // What the cluster said was of before.
    if (task.state == TaskState::kPending) task.state = TaskState::kUnknown;
  }
}

/// The job is over, and no attempt of it is open.
void ClusterExecutor::tell_unbegun(const Task& task, double now, std::vector<ClusterEvent>& events) {
  const bool has_failed = task.state == TaskState::kFailed || task.state == TaskState::kCompleted ||
                          task.state == TaskState::kOutOfMemory || task.state == TaskState::kTimedOut;
  if (task.state == TaskState::kCancelled && !task.is_withdrawn) {
    events.push_back({ClusterEvent::kCancelled, task.job.run_id, {}, {}});
  } else if (has_failed && task.claims_seen == 0) {
    Claim claim;
    claim.token = task.job.token;
    claim.attempt = task.job.attempt;
    claim.time = now;
    Outcome outcome = failed(FailReason::kFailedToStart, log_end(task));
    outcome.attempt = claim.attempt;
    outcome.started = outcome.ended = now;
    events.push_back({ClusterEvent::kBegan, task.job.run_id, claim, {}});
    events.push_back({ClusterEvent::kEnded, task.job.run_id, {}, outcome});
  }
  events.push_back({ClusterEvent::kReleased, task.job.run_id, {}, {}});
}

std::string ClusterExecutor::log_end(const Task& task) const {
  constexpr int kLines = 3;
  const fs::path log = workspace_.job_array(task.array->record.sweep_id, task.array->record.key).log();
  const std::string text = fs::is_regular_file(log) ? read_file(log) : "";
  const std::string end(trim(tail_lines(trim(text), kLines)));
  return end.empty() ? fmt::format("job {} ended before its supervisor had begun", task.array->record.job_id)
                     : end;
}

void ClusterExecutor::take_in_listing(const ToolResult& result, double now) {
  const auto listed = cluster_->listed(result);
  set_reachable(listed.has_value());
  if (!listed) return;
  bool has_changed = false;
  std::map<std::pair<std::string, size_t>, TaskState> by_task;
  std::map<std::string, TaskState> by_array;
  for (const auto& one : *listed) {
    if (one.index)
      by_task[{one.job_id, *one.index}] = one.state;
    else
      by_array[one.job_id] = one.state;
    for (const auto& array : arrays_) {
      if (!array->record.job_id.empty() || array->record.key != one.key) continue;
      array->record.job_id = one.job_id;  // it had been taken after all
      write_job_id(array->record, workspace_);
    }
  }
  for (auto& [run_id, task] : tasks_) {
    const Array& array = *task.array;
    if (array.record.job_id.empty() || array.asked >= listing_began_) continue;
    TaskState state = TaskState::kGone;
    if (const auto own = by_task.find({array.record.job_id, task.index}); own != by_task.end())
      state = own->second;
    else if (const auto all = by_array.find(array.record.job_id); all != by_array.end())
      state = all->second;
    // An answer from before the attempt was seen says nothing of it.
    const bool is_outdated =
        state == TaskState::kPending && task.open_attempt != 0 && task.open_seen >= listing_began_;
    if (state == TaskState::kUnknown || state == task.state || is_outdated) continue;
    has_changed = true;
    task.state = state;
    task.over_since = is_over(state) ? now : 0;
  }
  for (auto& array : arrays_) {
    if (array->record.job_id.empty() && array->asked < listing_began_ && now >= array->next_try)
      hand_in(*array);
  }
  if (has_changed) pause_s_ = kShortestPause_s;
}

void ClusterExecutor::list_when_due(double now) {
  if (listing_ || tasks_.empty() || now < next_listing_) return;
  std::vector<JobArray> records;
  for (const auto& array : arrays_) records.push_back(array->record);
  listing_.emplace(cluster_->list_command(records), kToolTimeout_s);
  listing_began_ = now;
  constexpr double kGrowth = 1.5;
  next_listing_ = now + pause_s_;
  pause_s_ = std::min(kLongestPause_s, pause_s_ * kGrowth);
}

void ClusterExecutor::set_reachable(bool reachable) {
  if (is_unreachable_ == !reachable) return;
  is_unreachable_ = !reachable;
  say_(reachable ? fmt::format("{} answers again", kind_)
                 : fmt::format("{} does not answer: what has become of its jobs is not known until it does",
                               kind_));
}

void ClusterExecutor::withdraw(const std::string& run_id) {
  const auto found = tasks_.find(run_id);
  if (found == tasks_.end() || found->second.is_withdrawn) return;
  found->second.is_withdrawn = true;
  next_listing_ = 0;
}

/// Called after each answer of the cluster: one that was not reached is told again.
void ClusterExecutor::cancel_withdrawn() {
  if (!cancels_.empty() || is_unreachable_) return;
  for (const auto& [run_id, task] : tasks_) {
    const std::string& job_id = task.array->record.job_id;
    if (!task.is_withdrawn || is_over(task.state) || job_id.empty()) continue;
    cancels_.emplace_back(cluster_->cancel_command(job_id, task.index), kToolTimeout_s);
  }
}

void ClusterExecutor::drop_finished_arrays() {
  std::erase_if(arrays_, [this](const std::unique_ptr<Array>& array) {
    const bool is_used = std::any_of(tasks_.begin(), tasks_.end(),
                                     [&](const auto& entry) { return entry.second.array == array.get(); });
    if (!is_used) remove_job_array(array->record, workspace_);
    return !is_used;
  });
}

const ClusterExecutor::Task* ClusterExecutor::find(const std::string& run_id) const {
  const auto found = tasks_.find(run_id);
  return found == tasks_.end() ? nullptr : &found->second;
}

bool ClusterExecutor::is_waiting(const std::string& run_id) const {
  const Task* task = find(run_id);
  return task != nullptr && task->open_attempt == 0;
}

std::vector<std::string> ClusterExecutor::run_ids() const {
  std::vector<std::string> ids;
  for (const auto& [run_id, task] : tasks_) ids.push_back(run_id);
  return ids;
}

size_t ClusterExecutor::count(const std::string& sweep_id) const {
  return static_cast<size_t>(std::count_if(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
    return entry.second.array->record.sweep_id == sweep_id;
  }));
}

}  // namespace expctl
