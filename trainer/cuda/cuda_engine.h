// Training steps on a GPU: begun without waiting, each a graph of kernels where its batch is of a usual size.
#pragma once

#include <memory>

#include "trainer/backend.h"

namespace expctl::cuda {

/// As Backend::make_engine(). Gradients go through NCCL where `by_nccl`, as they must where there are several
/// ranks. Throws Error for an optimizer or a model that it does not compute.
std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                                        OptimizerState& optimizer, const TrainingData& data, Ranks& ranks,
                                        bool by_nccl);

}  // namespace expctl::cuda
