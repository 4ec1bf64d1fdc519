#include "runner/cluster_executor.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "runner/attempt_results.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr double kToolTimeout_s = 30;
// What a compute node wrote last may be seen here a minute later (NFS's acdirmax).
constexpr double kSettled_s = 60;
constexpr double kSettledByCluster_s = 5;  // where the cluster itself says why it has ended a job
constexpr double kShortestPause_s = 1;
constexpr double kShortestPauseOfMany_s = 5;
constexpr size_t kMany = 100;
constexpr double kLongestPause_s = 20;
constexpr double kTryAgain_s = 30;

std::string new_key() {
  std::random_device device;
  return fmt::format("{:08x}", device());
}

/// Reading a folder makes a network file system ask its server what is in it.
void look_anew(const fs::path& folder) {
  std::error_code unreadable;
  for (fs::directory_iterator it(folder, unreadable), end; !unreadable && it != end;
       it.increment(unreadable)) {
  }
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

/// Whether the cluster itself says why the job is over.
bool is_explained(TaskState state) {
  return state == TaskState::kCancelled || state == TaskState::kTimedOut || state == TaskState::kPreempted ||
         state == TaskState::kNodeFailed;
}

}  // namespace

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
    if ((run.is_finished && !run.is_stopped) || begun < 0 || tasks_.contains(job.run_id)) continue;
    Task task;
    task.array = array.get();
    task.index = i;
    task.job = job;
    task.spec = run.spec;
    if (!has_request(paths_of(task), job.token)) continue;
    task.is_withdrawn = run.is_stopped;
    task.claims_seen = begun;
    if (run.is_open && begun > 0) {
      task.open_attempt = run.attempts;
      const auto claims = read_claims(paths_of(task), job.token);
      if (static_cast<size_t>(begun) <= claims.size()) {
        task.open_since = claims[static_cast<size_t>(begun) - 1].time;
        task.open_job = claims[static_cast<size_t>(begun) - 1].job;
      }
    }
    tasks_[job.run_id] = std::move(task);
  }
  arrays_.push_back(std::move(array));
}

void ClusterExecutor::submit(const std::vector<NewJob>& runs) {
  std::vector<std::pair<std::string, std::vector<const NewJob*>>> groups;
  for (const auto& run : runs) {
    const std::string wants = array_group(run.sweep_id, run.request.spec);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
      return g.first == wants && g.second.size() < kMostTasks;
    });
    if (group == groups.end()) group = groups.insert(groups.end(), {wants, {}});
    group->second.push_back(&run);
  }
  for (const auto& [wants, members] : groups) submit_array(members);
  pause_s_ = kShortestPause_s;
  next_listing_ = 0;
}

void ClusterExecutor::submit_array(const std::vector<const NewJob*>& members) {
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
  std::optional<std::string> id;
  try {
    id = ask_to_take(*array);
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
  if (id) note_id(*arrays_.back(), *id);
}

std::optional<std::string> ClusterExecutor::ask_to_take(Array& array) {
  const JobArrayPaths paths = workspace_.job_array(array.record.sweep_id, array.record.key);
  const ToolResult result = ToolCall(cluster_->submit_command(paths.script()), kToolTimeout_s).wait();
  const double now_s = SystemClock().now_s();
  array.asked = now_s;
  array.next_try = now_s + kTryAgain_s;
  const auto id = cluster_->submitted_id(result);
  set_reachable(id.has_value());
  return id;
}

void ClusterExecutor::note_id(Array& array, const std::string& job_id) {
  array.record.job_id = job_id;
  say_(fmt::format("{} handed to {} as job {}", counted(array.record.tasks.size(), "run"), kind_, job_id));
  write_job_id(array.record, workspace_);
}

/// One that the cluster has not got, as it says now. What is no longer wanted of it is let go.
void ClusterExecutor::hand_in_again(Array& array) {
  const bool is_wanted = std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
    return entry.second.array == &array && !entry.second.is_withdrawn;
  });
  try {
    if (is_wanted) {
      if (const auto id = ask_to_take(array)) note_id(array, *id);
      return;
    }
  } catch (const Error&) {
    // It refuses the array. The scheduler makes others, and tells what is said of those.
  }
  std::erase_if(tasks_, [&](const auto& entry) {
    if (entry.second.array != &array || entry.second.open_attempt != 0) return false;
    early_events_.push_back({ClusterEvent::kReleased, entry.first, {}, {}, false});
    return true;
  });
}

std::vector<ClusterEvent> ClusterExecutor::look(double now_s) {
  if (cancel_ && cancel_->poll()) cancel_.reset();
  if (listing_) {
    if (const auto result = listing_->poll()) {
      listing_.reset();
      take_in_listing(*result, now_s);
      cancel_withdrawn();
    }
  }
  std::vector<ClusterEvent> events = std::exchange(early_events_, {});
  for (auto entry = tasks_.begin(); entry != tasks_.end();) {
    const bool is_done = examine(entry->second, now_s, events);
    entry = is_done ? tasks_.erase(entry) : std::next(entry);
  }
  if (!events.empty()) ask_soon(now_s);
  list_when_due(now_s);
  return events;
}

bool ClusterExecutor::examine(Task& task, double now_s, std::vector<ClusterEvent>& events) {
  // A job that waits has written nothing; of thousands each look would cost.
  if (task.state == TaskState::kPending && task.open_attempt == 0) return false;
  const double settled_s = is_explained(task.state) ? kSettledByCluster_s : kSettled_s;
  const bool is_settled = task.over_since > 0 && now_s - task.over_since >= settled_s;
  const RunPaths paths = paths_of(task);
  if (is_settled) look_anew(paths.folder);
  open_claims(task, now_s, events);
  if (task.open_attempt == 0) {
    const bool is_taken_back = task.state == TaskState::kCancelled && task.is_withdrawn;
    if (!is_over(task.state) || (!is_settled && !is_taken_back)) return false;
    tell_unbegun(task, now_s, events);
    return true;
  }
  AttemptView view;
  view.written = read_outcome(paths, task.open_attempt);
  view.state = task.state;
  view.is_settled = is_settled || task.state == TaskState::kPending;
  view.is_withdrawn = task.is_withdrawn;
  view.may_go_on = !task.spec.is_command() && has_saved_since(paths, task.open_since);
  auto outcome = end_of_attempt(view);
  if (!outcome) return false;
  outcome->attempt = task.open_attempt;
  if (outcome->started == 0) outcome->started = task.open_since;
  if (outcome->ended == 0) outcome->ended = now_s;
  task.open_attempt = 0;
  events.push_back({ClusterEvent::kEnded, task.job.run_id, {}, *outcome, true});
  const bool stays = outcome->end == AttemptEnd::kInterrupted && !is_over(task.state);
  return !stays;
}

/// Each claim is an attempt; one that another follows was interrupted.
void ClusterExecutor::open_claims(Task& task, double now_s, std::vector<ClusterEvent>& events) {
  const RunPaths paths = paths_of(task);
  if (!fs::exists(paths.claim(task.claims_seen))) return;
  const auto claims = read_claims(paths, task.job.token);
  for (; static_cast<size_t>(task.claims_seen) < claims.size(); ++task.claims_seen) {
    const Claim& claim = claims[static_cast<size_t>(task.claims_seen)];
    if (task.open_attempt != 0) {
      const Outcome outcome = of_attempt(interrupted_outcome("the cluster has queued its job again"),
                                         task.open_attempt, task.open_since, claim.time);
      events.push_back({ClusterEvent::kEnded, task.job.run_id, {}, outcome, true});
    }
    task.open_attempt = claim.attempt;
    task.open_since = claim.time;
    task.open_seen = now_s;
    task.open_job = claim.job;
    events.push_back({ClusterEvent::kBegan, task.job.run_id, claim, {}, true});
    // What the cluster has said was of before, or of another job.
    task.state = TaskState::kUnknown;
    task.over_since = 0;
  }
}

/// The job is over, and no attempt of it is open.
void ClusterExecutor::tell_unbegun(const Task& task, double now_s, std::vector<ClusterEvent>& events) {
  const bool has_failed = task.state == TaskState::kFailed || task.state == TaskState::kCompleted ||
                          task.state == TaskState::kOutOfMemory || task.state == TaskState::kTimedOut;
  const bool has_begun = task.claims_seen > 0;
  if (task.state == TaskState::kCancelled && !task.is_withdrawn) {
    events.push_back({ClusterEvent::kCancelled, task.job.run_id, {}, {}, has_begun});
  } else if (has_failed && !has_begun) {
    Claim claim;
    claim.token = task.job.token;
    claim.attempt = task.job.attempt;
    claim.job = cluster_->job_name(task.array->record.job_id, task.index);
    claim.time = now_s;
    const Outcome outcome =
        of_attempt(failed_outcome(FailReason::kFailedToStart, log_end(task)), claim.attempt, now_s, now_s);
    events.push_back({ClusterEvent::kBegan, task.job.run_id, claim, {}, true});
    events.push_back({ClusterEvent::kEnded, task.job.run_id, {}, outcome, true});
  }
  events.push_back({ClusterEvent::kReleased, task.job.run_id, {}, {}, has_begun});
}

std::string ClusterExecutor::log_end(const Task& task) const {
  constexpr int kLines = 3;
  const fs::path log = workspace_.job_array(task.array->record.sweep_id, task.array->record.key).log();
  const std::string text = fs::is_regular_file(log) ? read_file(log) : "";
  return fmt::format("job {} ended before its supervisor had begun; the end of its array's log: {}",
                     cluster_->job_name(task.array->record.job_id, task.index),
                     trim(tail_lines(trim(text), kLines)));
}

void ClusterExecutor::take_in_listing(const ToolResult& result, double now_s) {
  const auto listed = cluster_->listed(result);
  set_reachable(listed.has_value());
  if (!listed) return;
  listed_.clear();
  listed_arrays_.clear();
  seen_arrays_.clear();
  for (const auto& one : *listed) {
    seen_arrays_.insert(one.job_id);
    if (one.index)
      listed_[cluster_->job_name(one.job_id, *one.index)] = one.state;
    else
      listed_arrays_[one.job_id] = one.state;
    for (const auto& array : arrays_) {  // it had been taken after all
      if (array->record.job_id.empty() && array->record.key == one.key) note_id(*array, one.job_id);
    }
  }
  take_in_states(now_s);
  for (auto& array : arrays_) {
    if (array->record.job_id.empty() && array->asked < listing_began_ && now_s >= array->next_try)
      hand_in_again(*array);
  }
}

void ClusterExecutor::take_in_states(double now_s) {
  for (auto& [run_id, task] : tasks_) {
    if (task.array->record.job_id.empty() || task.array->asked >= listing_began_) continue;
    const TaskState state = state_in_listing(task);
    // An answer from before the attempt was seen says nothing of it.
    const bool is_outdated =
        task.open_attempt != 0 && task.open_seen >= listing_began_ && state != TaskState::kRunning;
    if (state == TaskState::kUnknown || state == task.state || is_outdated) continue;
    task.state = state;
    task.was_pending = task.was_pending || state == TaskState::kPending;
    task.over_since = is_over(state) ? now_s : 0;
    ask_soon(now_s);
  }
}

/// Of the job that has claimed the run, else of the one that was handed in for it.
TaskState ClusterExecutor::state_in_listing(const Task& task) const {
  const std::string& array_id = task.array->record.job_id;
  const bool is_claimed = task.open_attempt != 0 && !task.open_job.empty();
  const auto own = listed_.find(is_claimed ? task.open_job : cluster_->job_name(array_id, task.index));
  if (own != listed_.end()) return own->second;
  if (is_claimed) return TaskState::kGone;
  if (const auto all = listed_arrays_.find(array_id); all != listed_arrays_.end()) return all->second;
  // Slurm forgets a task at once that is cancelled before it has begun, and still lists the others.
  return task.was_pending && seen_arrays_.contains(array_id) ? TaskState::kCancelled : TaskState::kGone;
}

void ClusterExecutor::ask_soon(double now_s) {
  pause_s_ = tasks_.size() > kMany ? kShortestPauseOfMany_s : kShortestPause_s;
  next_listing_ = std::min(next_listing_, now_s + pause_s_);
}

void ClusterExecutor::list_when_due(double now_s) {
  if (listing_ || tasks_.empty() || now_s < next_listing_) return;
  std::vector<JobArray> records;
  for (const auto& array : arrays_) records.push_back(array->record);
  listing_.emplace(cluster_->list_command(records), kToolTimeout_s);
  listing_began_ = now_s;
  constexpr double kGrowth = 1.5;
  next_listing_ = now_s + pause_s_;
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

/// Called after each answer of the cluster: what has not heard is told again.
void ClusterExecutor::cancel_withdrawn() {
  constexpr size_t kMostAtOnce = 200;
  if (cancel_ || is_unreachable_) return;
  std::vector<std::string> names;
  for (const auto& [run_id, task] : tasks_) {
    const std::string& job_id = task.array->record.job_id;
    if (!task.is_withdrawn || is_over(task.state) || job_id.empty() || names.size() == kMostAtOnce) continue;
    names.push_back(cluster_->job_name(job_id, task.index));
  }
  if (!names.empty()) cancel_.emplace(cluster_->cancel_command(names), kToolTimeout_s);
}

void ClusterExecutor::tidy() {
  std::set<const Array*> used;
  for (const auto& [run_id, task] : tasks_) used.insert(task.array);
  std::erase_if(arrays_, [&](const std::unique_ptr<Array>& array) {
    if (used.contains(array.get())) return false;
    remove_job_array(array->record, workspace_);
    return true;
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

std::string ClusterExecutor::group_of(const std::string& run_id) const {
  const Task* task = find(run_id);
  return task == nullptr ? "" : array_group(task->array->record.sweep_id, task->spec);
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
