// Which runs made an entry's models.
#pragma once

#include <vector>

#include "registry/registry.h"

namespace expctl {

/// The runs that an entry's checkpoints come from: of an ensemble its members, else the run itself.
std::vector<RunRecord> model_runs(const Registry& registry, const RunRecord& entry);

}  // namespace expctl
