// What a training or a prediction is computed on: this machine's CPU, or its GPU (trainer/cuda).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/train_spec.h"
#include "trainer/checkpoint.h"
#include "trainer/model.h"
#include "trainer/optimizer.h"
#include "trainer/precision.h"
#include "trainer/ranks.h"
#include "trainer/step_engine.h"
#include "trainer/training_data.h"

namespace expctl {

class Backend {
 public:
  virtual ~Backend() = default;

  /// What is computed in where `name` is asked for (auto, fp32, bf16, fp16): auto is bf16 where there are
  /// such products. Throws Error for what it cannot compute in, or an unknown name.
  virtual Precision choose_precision(const std::string& name) const = 0;

  virtual std::unique_ptr<Predictor> make_predictor(const BertConfig& config, Precision precision) const = 0;

  /// The engine keeps the references, and those in `data`. `spec` is resolved. Of several ranks each makes
  /// one, and begins the same steps. Throws Error for what it cannot compute.
  virtual std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision,
                                                  Checkpoint& checkpoint, OptimizerState& optimizer,
                                                  const TrainingData& data, Ranks& ranks) const = 0;

  /// What a result's last bits depend on, as text: a saved state tells of it.
  virtual std::string machine() const = 0;
  /// The same for environment.json, by its keys.
  virtual Json environment() const = 0;
};

const Backend& cpu_backend();

/// Backend::machine(), and how many ranks: sums of another number of parts round differently.
std::string machine_of(const Backend& backend, const Ranks& ranks);

}  // namespace expctl
