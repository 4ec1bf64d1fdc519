// `expctl compare ens1`: what an ensemble is worth beside its members.
#pragma once

#include <filesystem>

#include "cli/program.h"
#include "registry/registry.h"

namespace expctl {

/// Prints each member and their mean beside the ensemble with the difference and its interval, how far
/// members agree, and F1 against the number of members; `plot` gets the last as an SVG, "" none. Throws
/// Error.
int compare_ensemble(const Program& program, const Registry& registry, const RunRecord& entry,
                     const std::filesystem::path& plot);

}  // namespace expctl
