// The loop that joins registry, plan, slots and supervisors: starts queued runs, takes in how they ended,
// until none is left.
//
// One a workspace: hold the workspace's FileLock while one lives. Single-threaded, and to be run on the main
// thread: supervisors are told to end when the thread that started them does. If this process is killed at
// any point, the next scheduler's recover() finds every attempt either with its outcome.json or without, and
// nothing of it alive.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/run_paths.h"
#include "registry/registry.h"
#include "runner/input_check.h"
#include "runner/plan.h"
#include "runner/slots.h"

namespace expctl {

/// How far a running run is.
struct RunProgress {
  std::string id;
  Json params = Json::object();
  int64_t seed = 0;
  bool is_training = true;   ///< else a command, of which no step may ever be known
  std::optional<double> f1;  ///< the last look at the dev score on the way (eval_every)
  int64_t step = 0;          ///< 0: no step yet
  double loss = 0;
  double fraction = 0;  ///< 0..1 of its training
  double eta_s = -1;    ///< seconds of training left; -1: not known
  double silent_s = 0;  ///< since its last sign of life, where it counts as stalled; else 0
};

/// How far a sweep is.
struct SweepProgress {
  std::vector<RunProgress> running;
  size_t queued = 0;
  size_t succeeded = 0;  ///< of the own runs, like the next
  size_t failed = 0;
  std::string best;  ///< of the own runs that has the best F1; "": none has one
  double best_f1 = 0;
  double eta_s = -1;  ///< seconds until the queue is done, from the runs before; -1: not known
};

/// Seconds for `queued` runs of a mean duration after those running, `left_s` of which are known (-1: not).
/// A pure function; -1 where there is nothing to tell it from.
double sweep_eta_s(const std::vector<double>& left_s, size_t queued, double mean_duration_s);

/// How the scheduler came to its end.
struct SchedulerEnd {
  int signal = 0;      ///< INT or TERM, which asked for it; 0: there was nothing left to start
  std::string paused;  ///< why it started no more; "": it did not have to
};

struct SchedulerOptions {
  std::filesystem::path expctl;       ///< the program that is started as `expctl job FOLDER`
  std::filesystem::path worker;       ///< expctl-train; "": runs that need it stay queued
  std::set<std::string> own_runs;     ///< those of the calling command
  std::vector<RunRecord> ended_runs;  ///< those of them that have ended before, for the progress
  bool fail_fast = false;             ///< nothing more is started once an own run has failed for good
  int64_t max_runs = 0;               ///< no further run is started after so many; 0: no limit
  double until = 0;                   ///< Unix seconds when it ends as if asked to by a signal; 0: never
  std::function<void(const std::string&)> on_change;  ///< one line for each change of state
  std::function<void(const SweepProgress&)> on_tick;  ///< twice a second
};

class Scheduler {
 public:
  /// `gpus` outlives it.
  Scheduler(Registry& registry, WorkspacePaths workspace, GpuPool& gpus, SchedulerOptions options);

  /// Own runs go first; other queued runs of the workspace, which another command has handed over or left,
  /// are started beside them where they find room. Returns when no own run is queued (or may be started) and
  /// nothing runs; or when a signal has asked for an end and what was running has been recorded as
  /// interrupted. A second signal kills the workers at once. Where the first runs all fail as soon as they
  /// have started, no more are started unless one that runs meanwhile succeeds.
  SchedulerEnd run();

 private:
  struct RunningAttempt {
    RunRecord run;
    RunSpec spec;
    int attempt = 0;
    pid_t supervisor = 0;
    double started = 0;
    int64_t first_step = -1;  ///< the first step seen of this attempt, and when
    double first_step_time = 0;
    double first_fraction = 0;
    Slot slot;
  };

  struct EndedAttempt {
    RunRecord run;
    Outcome outcome;
  };

  void recover();
  void read_queue();
  void look_at_gpus();
  void start_what_fits();
  void start(const std::string& run_id, Slot slot);
  void launch_attempt(const RunRecord& run, const WorkerRequest& request, double started, Slot slot);
  /// "" where this scheduler can start the run, else why not.
  std::string obstacle(const QueuedRecord& run) const;
  bool is_own(const std::string& run_id) const { return options_.own_runs.contains(run_id); }
  bool own_left() const;
  bool own_unfinished() const;
  /// Takes in which attempts have ended, and their slots back.
  std::vector<EndedAttempt> collect_ended();
  /// Whether there is any use in starting more: pauses, or goes on.
  void learn(const RunRecord& own_run, const Outcome& outcome);
  /// Writes results and the end of an attempt into the registry and run.json; safe to be done twice.
  void record(const RunRecord& run, const Outcome& outcome);
  void end_attempts();
  void remember(const RunRecord& own_run);
  RunProgress progress_of(RunningAttempt& attempt) const;
  SweepProgress progress();
  bool may_start_more() const;
  RunPaths paths_of(const std::string& run_id) const { return {workspace_.folder(run_id)}; }
  void say(const std::string& line) const;

  Registry& registry_;
  WorkspacePaths workspace_;
  SchedulerOptions options_;
  SystemClock clock_;
  GpuPool& gpus_;
  SlotPool pool_;
  InputCheck inputs_;
  std::vector<RunningAttempt> running_;
  std::vector<QueuedRun> queue_;  ///< own ones first, each in order of creation
  std::set<std::string> started_;
  std::set<std::string> left_;  ///< said to be left queued
  bool failed_ = false;
  std::set<std::string> died_early_;  ///< own runs, as long as none has lived
  bool one_has_lived_ = false;
  SweepProgress so_far_;    ///< all but what changes with each tick
  double succeeded_s_ = 0;  ///< the sum of the durations of the own runs that have succeeded
  SchedulerEnd end_;
};

/// The part of its training that a run has done: by steps where max_steps is set, else by epochs.
double training_fraction(const MetricRecord& metric, const TrainSpec& spec);

}  // namespace expctl
