// What `sweep` and `train` share: an expanded sweep into the registry, the scheduler until its runs have
// ended, the results.
#pragma once

#include "cli/program.h"
#include "experiments/sweep_file.h"

namespace expctl {

struct SweepRunOptions {
  std::string file;                   ///< as it was typed
  std::vector<std::string> settings;  ///< of --set, "key=value"; already applied to the sweep
  bool dry_run = false;               ///< say what would be done; touches nothing
  bool retry_failed = false;
  bool fail_fast = false;
  int64_t max_runs = 0;  ///< start at most so many; 0: all
  std::string gpus;      ///< --gpus; "": all that may be used
  std::string executor;  ///< --executor; "": as the file says
  double until = 0;      ///< Unix seconds when to end; 0: never
  bool detach = false;   ///< go on in the background
  size_t replicate = 0;  ///< seeds that each of the best configs is to have; 0: as the file says
  size_t best = 2;       ///< of them
};

/// Blocks until every run of the sweep has ended (or may not be started), prints them on stdout, best first,
/// and returns the exit code: 0, 4 where some failed or were stopped, 130 or 143 after a signal. With
/// `detach` everything is checked, then a process of its own goes on and 0 is returned. Throws Error, before
/// anything is written, for what cannot work: an input that is missing or unfit, a bad command, a GPU that is
/// not there, no expctl-train.
int run_sweep(const Program& program, SweepSpec sweep, const SweepRunOptions& options);

}  // namespace expctl
