// The runs of a sweep as far as they are known: of a grid all at once, of tpe more with each result
// (experiments/trials.h). Joins experiments/, which proposes, with the registry, which knows the results.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/run_paths.h"
#include "experiments/sweep_file.h"
#include "experiments/trials.h"
#include "registry/registry.h"
#include "runner/sweep_queue.h"

namespace expctl {

class SweepRuns {
 public:
  SweepRuns(SweepSpec sweep, WorkspacePaths workspace, bool retry_failed)
      : sweep_(std::move(sweep)), workspace_(std::move(workspace)), retry_failed_(retry_failed) {}

  /// Takes in what the registry (null: there is none yet) and the sweep's trials.jsonl ("": it has no id yet)
  /// know by now; appends the entries that follow from it. Changes no file. Throws Error for a trials.jsonl
  /// that is none of the sweep's.
  void look(const Registry* registry, const std::string& sweep_id);
  /// Appends those of `specs` that are not among the entries.
  void add(const std::vector<RunSpec>& specs, const Registry& registry);
  /// Makes the entries that are new since the last call runs of the sweep, and queues them; returns their
  /// ids. Writes the sweep's files.
  std::vector<std::string> enter(Registry& registry, const std::string& sweep_id);

  const std::vector<SweepEntry>& entries() const { return entries_; }
  std::vector<RunSpec> specs() const;
  /// How many runs are not known yet.
  size_t to_come() const;

 private:
  using Identity = std::pair<std::string, int64_t>;

  void append(const std::vector<RunSpec>& specs, const Registry* registry);
  void read_trials(const std::string& sweep_id);
  void write_trials(const std::string& sweep_id);
  std::optional<TrialResult> result_of(const Trial& trial, const Registry* registry) const;
  std::optional<RunResult> result_of_run(const RunSpec& spec, const Registry* registry) const;

  SweepSpec sweep_;
  WorkspacePaths workspace_;
  bool retry_failed_;
  std::vector<Trial> trials_;  ///< of tpe
  std::vector<SweepEntry> entries_;
  size_t entered_ = 0;                ///< so many of them
  std::map<Identity, size_t> known_;  ///< the entry of a config hash and seed
  std::string written_;               ///< trials.jsonl
};

}  // namespace expctl
