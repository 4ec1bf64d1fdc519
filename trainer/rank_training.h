// The training of one rank, with what it writes meanwhile: metrics, evaluations, saved states, log.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "trainer/evaluation.h"
#include "trainer/metrics_log.h"
#include "trainer/ranks.h"
#include "trainer/train.h"

namespace expctl {

/// Where the training saves its state, and goes on from.
std::filesystem::path state_file(const RunPaths& paths);

/// The features of a training, and what its teacher says to them.
struct Lessons {
  std::vector<Feature> features;
  std::optional<LogitsFile> teacher;

  TrainingData data() const { return {features, teacher ? &*teacher : nullptr}; }
};

/// What is written is rank 0's.
class RankTraining {
 public:
  /// The references are kept. `evaluation` may be null: then nothing is evaluated on the way. Throws Error
  /// for data that does not fit.
  RankTraining(const WorkerRequest& request, const RunPaths& paths, const Backend& backend,
               Precision precision, Checkpoint& checkpoint, const Evaluation* evaluation,
               const std::function<bool()>& should_stop, Ranks& ranks);

  /// Goes on from the saved state where there is one. Afterwards `checkpoint` is what is to be kept.
  TrainEnd run();

 private:
  void add_what_is_written(TrainingHooks& hooks, MetricsLog& log);
  void say_progress(const StepMetrics& metrics);
  Checkpoint trained() const;
  int64_t last_step() const { return training_.plan().total_steps; }
  bool is_save_due(int64_t step) const;
  void save();
  std::optional<int64_t> rung_at(int64_t step) const;
  bool is_evaluated(int64_t step) const;
  void evaluate_where_due(int64_t step, MetricsLog& log);

  const WorkerRequest& request_;
  const TrainSpec& spec_;
  const RunPaths& paths_;
  Checkpoint& checkpoint_;
  const Evaluation* evaluation_;
  const std::function<bool()>& should_stop_;
  Ranks& ranks_;
  const std::string identity_;
  const Lessons lessons_;
  Training training_;
  const std::vector<int64_t> rungs_;
  SystemClock clock_;
  double saved_s_ = 0, said_s_ = 0;  ///< Unix seconds
};

}  // namespace expctl
