// A run's settings as the registry holds them, typed.
#pragma once

#include "core/run_spec.h"
#include "registry/records.h"

namespace expctl {

/// Throws Error naming the run; of an ensemble, which has none, too.
RunSpec spec_of(const RunRecord& run);

}  // namespace expctl
