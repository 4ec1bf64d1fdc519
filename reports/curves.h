// Curves from the files that a run writes line by line while it runs. Functions of a text, which may begin
// and end within a line; lines that are not whole, or not of the kind, are left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/line_chart.h"

namespace expctl {

/// By optimizer step.
struct TrainingCurves {
  Series loss{"loss", {}};
  Series learning_rate{"learning rate", {}};
  Series grad_norm{"gradient norm", {}};
  Series f1{"F1", {}};  ///< of the looks at the dev score on the way
};

/// From metrics.jsonl. Steps rise: of a step that stands there twice (the run went on from before it) the
/// later line counts.
TrainingCurves training_curves(std::string_view metrics);

/// What one GPU did while a run had it.
struct GpuCurves {
  std::string gpu;                                ///< UUID
  Series utilization_percent{"utilization", {}};  ///< by Unix time, as the next one
  Series memory_gib{"memory", {}};
};

/// From gpu.jsonl, the GPU that comes first in it first.
std::vector<GpuCurves> gpu_curves(std::string_view readings);

}  // namespace expctl
