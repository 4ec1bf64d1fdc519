// Attempts as jobs of a cluster: hands in arrays of them, and tells from the cluster's list and from the
// runs' folders what has become of each.
//
// The jobs need no expctl to be alive: what is known of them lies in the sweep's folder and can be taken up
// by another. Nothing is concluded from a cluster that does not answer. Knows no registry: what happens comes
// out as events, in order.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/outcome.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "runner/claim.h"
#include "runner/cluster.h"
#include "runner/cluster_rules.h"

namespace expctl {

/// A run that is to become a job: its request lies in its folder.
struct NewJob {
  std::string sweep_id;
  WorkerRequest request;
};

struct ClusterEvent {
  enum Kind {
    kBegan,      ///< an attempt has, as `claim` says
    kEnded,      ///< the attempt that had begun, as `outcome` says; its job may begin another (requeued)
    kCancelled,  ///< by somebody on the cluster, before the job had begun
    kReleased    ///< no attempt is open, and no job will begin one: the run is the scheduler's again
  };
  Kind kind;
  std::string run_id;
  Claim claim;
  Outcome outcome;
  bool has_begun = false;  ///< of kReleased: its job has, once
};

class ClusterExecutor {
 public:
  /// `kind`: "slurm" or "pbs". `expctl` is the program that a job becomes.
  ClusterExecutor(const std::string& kind, WorkspacePaths workspace, std::filesystem::path expctl,
                  std::function<void(const std::string&)> say);

  /// What the registry knows of a run whose job another expctl has handed in.
  struct Known {
    int attempts = 0;      ///< begun
    bool is_open = false;  ///< the last of them
    bool is_finished = false;
    bool is_stopped = false;  ///< finished so: its job is to be cancelled
    RunSpec spec;
  };
  /// Such an array.
  void take_up(JobArray array, const std::function<Known(const std::string& run_id)>& known);

  /// Hands them in, as many arrays as there are ways to ask for resources. Throws Error where the cluster
  /// refuses; then none of that array is with it. One that cannot be reached is asked again later.
  void submit(const std::vector<NewJob>& runs);

  /// What has happened since the last call.
  std::vector<ClusterEvent> look(double now_s);
  /// Forgets arrays of which nothing is left, once all that look() has told is recorded.
  void tidy();

  bool has(const std::string& run_id) const { return find(run_id) != nullptr; }
  /// Whether its job has not begun, as far as is known.
  bool is_waiting(const std::string& run_id) const;
  /// What its job has asked for (array_group()).
  std::string group_of(const std::string& run_id) const;
  std::vector<std::string> run_ids() const;
  /// How many runs of a sweep are with the cluster.
  size_t count(const std::string& sweep_id) const;

  /// Cancels the job of a run; it is released when that is done.
  void withdraw(const std::string& run_id);

 private:
  // Times are Unix seconds.
  struct Array {
    JobArray record;
    double asked = 0;     ///< when it was handed in last, or taken up
    double next_try = 0;  ///< where the cluster did not answer
  };
  struct Task {
    Array* array = nullptr;
    size_t index = 0;
    JobTask job;
    RunSpec spec;
    TaskState state = TaskState::kUnknown;
    bool was_pending = false;
    double over_since = 0;  ///< 0: it is not
    bool is_withdrawn = false;
    int claims_seen = 0;
    int open_attempt = 0;   ///< 0: none; the rest is of it
    std::string open_job;   ///< the cluster's name of the job that has claimed it
    double open_since = 0;  ///< by the clock of its node
    double open_seen = 0;   ///< by ours
  };

  const Task* find(const std::string& run_id) const;
  void submit_array(const std::vector<const NewJob*>& members);
  /// Throws Error where the cluster refuses it, and nothing of it is there; nothing where that is not known.
  std::optional<std::string> ask_to_take(Array& array);
  void note_id(Array& array, const std::string& job_id);
  void hand_in_again(Array& array);
  /// True where the task is done with.
  bool examine(Task& task, double now_s, std::vector<ClusterEvent>& events);
  void open_claims(Task& task, double now_s, std::vector<ClusterEvent>& events);
  void tell_unbegun(const Task& task, double now_s, std::vector<ClusterEvent>& events);
  void take_in_listing(const ToolResult& result, double now_s);
  void take_in_states(double now_s);
  TaskState state_in_listing(const Task& task) const;
  void list_when_due(double now_s);
  void ask_soon(double now_s);
  void cancel_withdrawn();
  void set_reachable(bool reachable);
  std::string log_end(const Task& task) const;
  RunPaths paths_of(const Task& task) const { return workspace_.run(task.job.run_id); }

  std::string kind_;
  std::unique_ptr<Cluster> cluster_;
  WorkspacePaths workspace_;
  std::filesystem::path expctl_;
  std::function<void(const std::string&)> say_;
  std::vector<std::unique_ptr<Array>> arrays_;
  std::map<std::string, Task> tasks_;       ///< by the run
  std::vector<ClusterEvent> early_events_;  ///< that came up between two looks
  std::optional<ToolCall> listing_;
  double listing_began_ = 0;
  double next_listing_ = 0;
  double pause_s_ = 0;  ///< to the listing after the next
  bool is_unreachable_ = false;
  std::map<std::string, TaskState> listed_;         ///< by the task's name, of the last answer
  std::map<std::string, TaskState> listed_arrays_;  ///< what it says of all others of an array, by its id
  std::set<std::string> seen_arrays_;               ///< of which any task is listed
  std::optional<ToolCall> cancel_;
};

}  // namespace expctl
