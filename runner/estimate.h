// How long runs will take, told from those that have ended. Functions of values.
#pragma once

#include <optional>
#include <vector>

#include "core/run_spec.h"

namespace expctl {

struct PastRun {
  RunSpec spec;
  double seconds = 0;
};

/// The mean over the past runs like `spec`: of expctl-train those with the same data and init, scaled by the
/// epochs or by max_steps times batch_size, whichever both count in; of a command those with the same argv.
/// Nothing where there is none.
std::optional<double> expected_duration_s(const RunSpec& spec, const std::vector<PastRun>& past);

}  // namespace expctl
