// What a training needs to be taken up again to the same bits: one safetensors file, written atomically.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "trainer/loss_scale.h"
#include "trainer/optimizer.h"
#include "trainer/precision.h"

namespace expctl {

/// How far a training is. Batches, learning rates and dropout masks follow from it, so no generator has a
/// state.
struct TrainingPosition {
  int64_t step = 0;     ///< done
  int64_t updates = 0;  ///< of those, steps that moved the weights: in fp16 some are left out
  LossScale loss_scale;
};

/// On what a state was saved: a training that goes on elsewhere is right, but not the same to the last bit.
struct SavedOn {
  Precision precision;
  std::string machine;  ///< Backend::machine()
};

/// `identity` names the training. Throws Error.
void write_training_state(const std::filesystem::path& path, const std::string& identity, const SavedOn& here,
                          const TrainingPosition& position, const Parameters& parameters,
                          const OptimizerState& optimizer);

/// Fills tensors of the right shapes in place; nothing is returned, and nothing touched, where there is no
/// file. Throws Error where it is of another training or model, or damaged.
std::optional<TrainingPosition> read_training_state(const std::filesystem::path& path,
                                                    const std::string& identity, Parameters& parameters,
                                                    OptimizerState& optimizer);

/// Nothing where there is no file.
std::optional<SavedOn> saved_on(const std::filesystem::path& path);

}  // namespace expctl
