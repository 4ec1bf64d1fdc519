// The ranks of a run that a launcher has started (mpirun, or srun). MPI is a library of its own
// (trainer/mpi), loaded only then: a run on its own neither needs nor loads it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "trainer/ranks.h"

namespace expctl {

/// Which rank this process is where a launcher has started several, as its environment says.
std::optional<int64_t> launched_rank();

/// The ranks that this process is one of; OneRank where no launcher has started several. At most once. Throws
/// Error where the library was not built or does not load.
std::unique_ptr<Ranks> join_ranks();

}  // namespace expctl
