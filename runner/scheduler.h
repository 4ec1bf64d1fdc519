// The loop that joins registry, plan, slots and supervisors: starts queued runs, takes in how they ended,
// until none is left.
//
// One a workspace: hold its WorkspaceLock while one lives. Single-threaded, and to be run on the main thread:
// supervisors are told to end when the thread that started them does. If this process is killed at any point,
// the next scheduler's recover() finds every attempt either with its outcome.json or without, and nothing of
// it alive.
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
#include "runner/plan.h"
#include "runner/slots.h"

namespace expctl {

/// How far a running run is.
struct RunProgress {
  std::string id;
  int64_t step = 0;  ///< 0: no step yet
  double loss = 0;
  double fraction = 0;  ///< 0..1 of its training
  double eta_s = -1;    ///< seconds of training left; -1: not known
};

struct SchedulerOptions {
  std::filesystem::path expctl;    ///< the program that is started as `expctl job FOLDER`
  std::filesystem::path worker;    ///< expctl-train; "": runs that need it stay queued
  std::set<std::string> own_runs;  ///< those of the calling command
  bool fail_fast = false;          ///< nothing more is started once an own run has failed for good
  int64_t max_runs = 0;            ///< no further run is started after so many; 0: no limit
  std::function<void(const std::string&)> on_change;  ///< one line for each change of state
  std::function<void(const std::vector<RunProgress>&, size_t queued)> on_tick;  ///< twice a second
};

class Scheduler {
 public:
  Scheduler(Registry& registry, WorkspacePaths workspace, SchedulerOptions options);

  /// Own runs go first; other queued runs of the workspace, which another command has handed over or left,
  /// are started beside them where they find room. Returns 0 when no own run is queued (or may be started)
  /// and nothing runs; or the signal, INT or TERM, that asked for an end, after what was running has been
  /// recorded as interrupted. A second signal kills the workers at once.
  int run();

 private:
  struct RunningAttempt {
    RunRecord run;
    int attempt = 0;
    pid_t supervisor = 0;
    double started = 0;
    int64_t first_step = -1;  ///< the first step seen of this attempt, and when
    double first_step_time = 0;
    double first_fraction = 0;
    Slot slot;
  };

  void recover();
  void start_what_fits();
  void start(const RunRecord& run, const RunSpec& spec, Slot slot);
  void launch_attempt(const RunRecord& run, const WorkerRequest& request, double started, Slot slot);
  /// "" where this scheduler can start the run, else why not.
  std::string obstacle(const RunSpec& spec) const;
  bool own_left() const;
  bool own_unfinished() const;
  Outcome take_results(const RunRecord& run, Outcome outcome, const RunPaths& paths);
  void collect_ended();
  /// Writes results and the end of an attempt into the registry and run.json; safe to be done twice.
  void record(const RunRecord& run, const Outcome& outcome);
  void end_attempts();
  std::vector<RunProgress> progress();
  std::vector<RunRecord> queued() const;
  bool may_start_more() const;
  RunPaths paths_of(const std::string& run_id) const { return {workspace_.folder(run_id)}; }
  void say(const std::string& line) const;

  Registry& registry_;
  WorkspacePaths workspace_;
  SchedulerOptions options_;
  SystemClock clock_;
  SlotPool pool_;
  std::vector<RunningAttempt> running_;
  std::map<std::string, double> not_before_;  ///< of runs that wait for their next try
  std::set<std::string> started_;
  std::set<std::string> left_;  ///< said to be left queued
  bool failed_ = false;
  int signal_ = 0;
};

/// The part of its training that a run has done: by steps where max_steps is set, else by epochs.
double training_fraction(const MetricRecord& metric, const TrainSpec& spec);

}  // namespace expctl
