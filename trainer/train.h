// The training loop: batches in their order, the loss, the optimizer; its state can be saved at any step and
// taken up exactly.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trainer/backend.h"
#include "trainer/data_order.h"
#include "trainer/schedule.h"
#include "trainer/training_state.h"

namespace expctl {

enum class TrainEnd { kDone, kDiverged, kTerminated };

/// One line of metrics.jsonl.
struct StepMetrics {
  int64_t step = 0;  ///< from 1
  double epoch = 0;  ///< features seen / features of an epoch
  double loss = 0;   ///< mean over the batch
  double learning_rate = 0;
  double grad_norm = 0;  ///< before clipping
  int64_t tokens = 0;    ///< of the step
};

/// What a training calls while it runs. Of several ranks each has its own hooks: what one of them wants holds
/// for all.
struct TrainingHooks {
  std::function<void(const StepMetrics&)> on_step;  ///< after each step
  std::function<bool()> should_stop;                ///< asked between steps
  /// With the gradients of step `step` (from 1), accumulated, not scaled and not yet clipped; may be empty.
  std::function<void(int64_t step, const Parameters& gradients)> on_gradients = {};
  /// Whether the host's parameters and state are wanted as they are after step `step` (from 1), which is
  /// about to begin; then on_state() is called with no other step begun. Both may be empty.
  std::function<bool(int64_t step)> wants_state = {};
  std::function<void(int64_t step)> on_state = {};
};

class Training {
 public:
  /// `spec` is resolved. `parameters` of the checkpoint are trained in place. Of several ranks each has its
  /// own, and all take the same steps.
  Training(const TrainSpec& spec, const Backend& backend, Precision precision, Checkpoint& checkpoint,
           const TrainingData& data, DataOrder order, Ranks& ranks);

  int64_t step() const { return position_.step; }  ///< finished
  const StepPlan& plan() const { return plan_; }

  /// Runs to the last step, until `should_stop` says so, or until the loss or the gradient is no finite
  /// number. In fp16 such a gradient first halves the loss scale and leaves the step's update out; only where
  /// that no longer helps has the training diverged.
  TrainEnd run(const TrainingHooks& hooks);

  /// What is evaluated and kept: the average of the parameters where there is one, else they themselves. No
  /// copy: it moves on with the training.
  const Parameters& weights() const;

  /// As trainer/training_state.h; load() goes on from the file to the same bits. It returns false where there
  /// is no file, and throws Error where it is of another training (`identity`).
  void save(const std::filesystem::path& path, const std::string& identity) const;
  bool load(const std::filesystem::path& path, const std::string& identity);

 private:
  std::vector<int64_t> batch_of(int64_t step);
  void begin_step();
  bool finish_steps(size_t left, const TrainingHooks& hooks);
  bool finish_step(const TrainingHooks& hooks);

  const TrainSpec& spec_;
  const std::string machine_;
  Precision precision_;
  Checkpoint& checkpoint_;
  const TrainingData data_;
  Ranks& ranks_;
  DataOrder order_of_;
  StepPlan plan_;
  OptimizerState optimizer_;
  std::unique_ptr<StepEngine> engine_;
  TrainingPosition position_;    ///< of the steps finished
  std::deque<StepOrder> begun_;  ///< and not yet finished
  int64_t order_epoch_ = -1;     ///< which epoch order_ is of
  std::vector<int64_t> order_;
};

}  // namespace expctl
