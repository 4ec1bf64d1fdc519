// The configs of a sweep that are drawn instead of listed (method random or tpe): each is a trial, with a run
// for each seed (docs/search.md).
//
// Trial t of random is a function of the file and t; of tpe, of the file and the scores of the trials up to
// t - lag. So the same file gives the same trials however many run side by side and wherever it is gone on
// with.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep_file.h"

namespace expctl {

/// What has become of a run that has ended.
struct RunResult {
  std::optional<double> score;  ///< percent; a pruned run's last one; nothing: it failed, or was not scored
};

/// What has become of a trial whose runs have all ended.
struct TrialResult {
  std::optional<double> score;  ///< the mean of its runs that have one; nothing: none has
};

struct Trial {
  Point point;
  std::vector<RunSpec> runs;  ///< of one config, in the order of the seeds
  std::string config_hash;  ///< of the first of them: others may have another where [train] sets a seed apart
  int64_t seen = 0;         ///< it was proposed from the results of so many trials, the first ones
  std::optional<TrialResult> result;  ///< nothing: not all of its runs have ended
};

/// So many results are the least that tpe proposes from; before that its trials are random ones.
constexpr int64_t kStartUpTrials = 10;

/// Nothing as long as one of the runs has not ended.
std::optional<TrialResult> trial_result(const std::vector<std::optional<RunResult>>& runs);

/// What is known of a trial by its number.
using TrialResults = std::function<std::optional<TrialResult>(int64_t number, const Trial& trial)>;

/// Fills in the results of `trials`, the first ones of the sweep, and appends all that can be proposed from
/// them: up to sweep.trials. A trial's config is possible (resolve() takes it) and, where one such is found
/// among the candidates and then among some random ones, no earlier trial's. Throws Error "source: ..." where
/// no possible config is found.
void extend_trials(const SweepSpec& sweep, std::vector<Trial>& trials, const TrialResults& results);

/// A line of trials.jsonl (docs/run_folder.md); `ids` are those of its runs.
Json trial_line(int64_t number, const Trial& trial, const std::vector<std::string>& ids);

/// The results that trials were proposed from, by their lines. They count as they were then: a run that is
/// tried again later changes no trial that has been proposed already.
class SettledResults {
 public:
  SettledResults() = default;
  /// Throws Error naming `source`.
  SettledResults(const std::vector<Json>& lines, const std::string& source);
  /// Nothing where no trial was proposed from it yet, or another config had the number then.
  std::optional<TrialResult> of(int64_t number, const Trial& trial) const;

 private:
  struct Settled {
    Json params;
    TrialResult result;
  };
  std::vector<Settled> trials_;
};

/// All of random's, and of tpe those that need no results.
std::vector<Trial> first_trials(const SweepSpec& sweep);

/// Their runs in order, each once: a trial may repeat another where the space has no more configs.
std::vector<RunSpec> runs_of(const std::vector<Trial>& trials);

}  // namespace expctl
