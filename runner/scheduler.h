// The loop that joins registry, plan and executors: starts queued runs, takes in how they ended, until none
// is left.
//
// One a workspace: hold the workspace's FileLock while one lives. Single-threaded, and to be run on the main
// thread: supervisors are told to end when the thread that started them does. If this process is killed at
// any point, the next scheduler's recover() finds every attempt either with its outcome.json or without, and
// nothing of it alive; jobs of a cluster go on, and the next scheduler takes them up.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/run_paths.h"
#include "registry/registry.h"
#include "runner/cluster_executor.h"
#include "runner/early_stopping.h"
#include "runner/estimate.h"
#include "runner/input_check.h"
#include "runner/local_executor.h"
#include "runner/plan.h"
#include "runner/sweep_progress.h"
#include "runner/sweep_tally.h"

namespace expctl {

/// How the scheduler came to its end.
struct SchedulerEnd {
  int signal = 0;           ///< INT or TERM, which asked for it; 0: there was nothing left to start
  std::string paused;       ///< why it started no more; "": it did not have to
  bool is_time_up = false;  ///< `until` has come, and the signal stands for it
};

/// What a sweep has found to run once some of its runs had ended.
struct MoreRuns {
  std::vector<std::string> ids;  ///< own runs that are queued now
  size_t to_come = 0;            ///< so many are not known yet
};

struct SchedulerOptions {
  std::filesystem::path expctl;       ///< the program that is started as `expctl job FOLDER`
  std::filesystem::path worker;       ///< expctl-train; "": runs that need it stay queued
  std::set<std::string> own_runs;     ///< those of the calling command
  std::vector<RunRecord> ended_runs;  ///< those of them that have ended before, for the progress
  bool fail_fast = false;             ///< nothing more is started once an own run has failed for good
  int64_t max_runs = 0;               ///< no further run is started after so many; 0: no limit
  double until = 0;                   ///< Unix seconds when it ends as if asked to by a signal; 0: never
  double allocation_end = 0;          ///< Unix seconds when a cluster takes this machine away; 0: it does not
  size_t to_come = 0;                 ///< own runs that are not known yet
  std::function<MoreRuns()> more_runs;                ///< called when own runs have ended; may be empty
  std::function<void(const std::string&)> on_change;  ///< one line for each change of state
  std::function<void(const SweepProgress&)> on_tick;  ///< twice a second
};

class Scheduler {
 public:
  /// `gpus` outlives it.
  Scheduler(Registry& registry, WorkspacePaths workspace, GpuPool& gpus, SchedulerOptions options);

  /// Own runs go first; other queued runs of the workspace, which another command has handed over or left,
  /// are started beside them where they find room. Returns when no own run is queued (or may be started) and
  /// nothing runs (of others' trainings it does not wait for the end where a sweep waits to take them over);
  /// or when a signal has asked for an end and what was running here has been recorded as interrupted: what
  /// is with a cluster goes on there. A second signal kills the workers at once. Where the first runs all
  /// fail as soon as they have started, no more are started unless one that runs meanwhile succeeds. Throws
  /// Error where the registry or the disk fails, once what was running here has ended.
  SchedulerEnd run();

 private:
  struct EndedAttempt {
    RunRecord run;
    Outcome outcome;
  };

  SchedulerEnd work();
  /// Where a cluster takes this machine away: ends in time to save states.
  void limit_to_allocation();
  /// What is done twice a second.
  void look_around();
  /// Tells what runs here to end; again, kills it.
  void begin_end(int signal, const std::string& why);
  void recover();
  void take_up_jobs();
  ClusterExecutor& cluster(const std::string& kind);
  /// The cluster that has the run, if one has.
  ClusterExecutor* cluster_of(const std::string& run_id);
  void read_queue();
  /// Own runs that have come to be known by the ends of others.
  void take_up_more();
  void add_to_queue(const QueuedRecord& record, const std::map<std::string, QueuedRun>& known);
  void withdraw_what_left(const std::vector<QueuedRecord>& queued);
  void look_at_gpus();
  void look_at_clusters();
  void on_cluster_event(ClusterExecutor& from, const ClusterEvent& event);
  void on_vanished(const std::string& run_id);
  bool asks_for_other(const ClusterExecutor& executor, const std::string& run_id) const;
  void begin_on_cluster(ClusterExecutor& from, const ClusterEvent& event);
  void submit_what_may();
  /// Writes it into the run's folder too; nothing where it cannot be made.
  std::optional<WorkerRequest> request_for_cluster(const RunRecord& run);
  void hand_to(ClusterExecutor& executor, const std::vector<NewJob>& jobs);
  void start_what_fits();
  void start(const std::string& run_id, Slot slot);
  /// In the registry and run.json.
  RunRecord begin(const AttemptRecord& attempt);
  /// The same; nothing where a person has stopped the run this moment, or removed it.
  std::optional<RunRecord> begin_unless_left(const AttemptRecord& attempt);
  /// Nothing for one that a person has stopped and removed meanwhile, of which nothing is kept here then.
  std::optional<RunRecord> find_or_forget(const std::string& run_id);
  /// Whether the run would still be at work when the allocation ends, by those before it; says so.
  bool is_too_long(const std::string& run_id);
  /// The request of the attempt that is about to be made. Where it cannot be made, records that as the end of
  /// the attempt (begun already, or to be begun) and returns nothing.
  std::optional<WorkerRequest> prepare(const RunRecord& run, const AttemptRecord& attempt,
                                       const DeviceAssignment& devices);
  void count_as_started(const std::string& run_id);
  /// One that begins this moment.
  AttemptRecord new_attempt(const std::string& run_id, int attempt = 1) const;
  /// As that of the attempt, which has ended this moment.
  Outcome ended_now(const AttemptRecord& attempt, Outcome outcome) const;
  /// "" where this scheduler can start the run, else why not.
  std::string obstacle(const QueuedRecord& run) const;
  bool is_own(const std::string& run_id) const { return options_.own_runs.contains(run_id); }
  bool own_left() const;
  bool own_on_cluster();
  bool own_running();
  bool own_unfinished();
  /// Whether nothing of its own is left to start or to wait for at a cluster.
  bool is_over();
  /// Where another sweep waits to schedule and only trainings of others are at work, they go on there, from
  /// where they are, and what this scheduler would leave idle is used. Else says what it waits for.
  void hand_over();
  std::vector<EndedAttempt> collect_ended();
  void record(const RunRecord& run, const Outcome& outcome);
  void queue_again(const RecordedEnd& end, double not_before);
  void withdraw_waiting();
  /// Those that have come to a rung end there or go on.
  void look_at_rungs();
  std::vector<RunningAttempt*> all_running();
  SweepProgress progress();
  bool may_start_more() const;
  RunPaths paths_of(const std::string& run_id) const { return workspace_.run(run_id); }
  void say(const std::string& line) const;

  Registry& registry_;
  WorkspacePaths workspace_;
  SchedulerOptions options_;
  SystemClock clock_;
  GpuPool& gpus_;
  LocalExecutor local_;
  std::map<std::string, ClusterExecutor> clusters_;  ///< by kind; one that no run is for is not there
  std::map<std::string, RunningAttempt> on_clusters_;
  struct Vanished {
    int times = 0;
    double not_before = 0;
  };
  std::map<std::string, Vanished>
      vanished_;  ///< runs whose last jobs were gone before they had begun, or refused
  InputCheck inputs_;
  EarlyStopping early_stopping_;
  std::vector<QueuedRun> queue_;  ///< own ones first, each in order of creation
  std::set<std::string> started_;
  std::vector<PastRun> past_;   ///< where there is an allocation that ends
  std::set<std::string> left_;  ///< said to be left queued
  SweepTally tally_;
  bool own_ended_ = false;  ///< since more runs were asked for
  double over_since_ = 0;   ///< 0: it is not
  bool has_said_whom_it_awaits_ = false;
  bool is_time_up_ = false;
  int end_signal_ = 0;
};

}  // namespace expctl
