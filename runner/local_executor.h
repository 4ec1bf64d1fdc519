// Attempts on this machine: each a supervisor, `expctl job`, that is a child of this process and has a slot.
//
// Not thread-safe, and to be used on the main thread: supervisors are told to end when the thread that
// started them does.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/outcome.h"
#include "runner/slots.h"
#include "runner/sweep_progress.h"

namespace expctl {

class LocalExecutor {
 public:
  /// `expctl` is the program that is started as `expctl job FOLDER`; `gpus` outlives this.
  LocalExecutor(GpuPool& gpus, std::filesystem::path expctl, bool native_gpus);

  /// "" where this machine can give the run what it asks for, else why it never can.
  std::string obstacle(const Demand& wanted) const;
  SlotPool& slots() { return slots_; }

  /// Starts the request that lies in the run's folder. Throws Error where no process can be had.
  void start(RunningAttempt attempt, Slot slot, const RunPaths& paths, const std::string& token);

  std::vector<RunningAttempt*> running();
  size_t size() const { return attempts_.size(); }

  struct Ended {
    RunRecord run;
    std::optional<Outcome> outcome;  ///< nothing: its supervisor died, and what it left has been ended
    int attempt = 0;
    double started = 0;
    bool was_told = false;  ///< to end
  };
  /// Takes in which attempts have ended, and their slots back.
  std::vector<Ended> collect(const WorkspacePaths& workspace);

  /// Tells all supervisors to end their attempts; again, to kill them.
  void end_all();

  /// The same of trainings only, which go on where they were when they are started again; never kills. Says
  /// whether there was one.
  bool end_trainings();

 private:
  struct Child {
    RunningAttempt attempt;
    pid_t supervisor = 0;
    std::string token;
    Slot slot;
    bool told = false;  ///< to end
  };

  std::filesystem::path expctl_;
  SlotPool slots_;
  std::vector<Child> attempts_;
  bool all_told_ = false;
};

/// Waits for what is left of an attempt on this machine to end, and kills it after `patience_s`. Throws Error
/// where that does not help.
void wait_for_leftovers(const std::string& token, double patience_s);

}  // namespace expctl
