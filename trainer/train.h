// The training loop: batches in a seeded order, the loss, AdamW; its state can be saved at any step and taken
// up exactly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "core/train_spec.h"
#include "squad/features.h"
#include "trainer/adamw.h"
#include "trainer/checkpoint.h"
#include "trainer/schedule.h"

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

/// The order of an epoch's features: a permutation, a function of the seed and the epoch alone.
std::vector<int64_t> epoch_order(uint64_t seed_data, int64_t epoch, int64_t features);

class Training {
 public:
  /// `spec` is resolved. `parameters` of the checkpoint are trained in place.
  Training(const TrainSpec& spec, bool bf16, Checkpoint& checkpoint, const std::vector<Feature>& features);

  int64_t step() const { return step_; }
  const StepPlan& plan() const { return plan_; }

  /// Runs to the last step, until `should_stop` (asked between steps) says so, or until the loss or the
  /// gradient is no finite number. `on_step` is called after each step.
  TrainEnd run(const std::function<void(const StepMetrics&)>& on_step,
               const std::function<bool()>& should_stop);

  /// Parameters, moments and position, in one file written atomically; load() goes on from it to the same
  /// bits. load() returns false where there is no file, and throws Error where it is of another training
  /// (`identity`).
  void save(const std::filesystem::path& path, const std::string& identity) const;
  bool load(const std::filesystem::path& path, const std::string& identity);
  /// Whether a saved training was computed in bf16; nothing where there is no file.
  static std::optional<bool> saved_bf16(const std::filesystem::path& path);

 private:
  StepMetrics one_step();
  double accumulate(const std::vector<int64_t>& batch);

  const TrainSpec& spec_;
  bool bf16_;
  Checkpoint& checkpoint_;
  const std::vector<Feature>& features_;
  StepPlan plan_;
  AdamState adam_;
  int64_t step_ = 0;          ///< done
  int64_t order_epoch_ = -1;  ///< which epoch order_ is of
  std::vector<int64_t> order_;
};

}  // namespace expctl
