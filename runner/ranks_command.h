// A run on several GPUs: expctl-train under Open MPI's mpirun, one process ("rank") a GPU.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/run_spec.h"

namespace expctl {

/// How many processes compute a run. A command starts its own.
int64_t rank_count(const RunSpec& spec);

/// The command line that starts so many processes of `argv` on this machine.
std::vector<std::string> ranks_command(int64_t ranks, const std::vector<std::string>& argv);

/// Throws Error, which says what to install, where PATH has no mpirun.
void check_ranks_command();

/// Beginnings of the variables by which a launcher or a cluster tells a process that it is one of several. A
/// run is not: where this process is such a one, or in a cluster's job, expctl-train and an mpirun below it
/// must not take it for theirs.
const std::vector<std::string>& launcher_variables();

/// What mpirun ended with, as waitpid() gives it, as if its ranks' one had: mpirun returns 128 + the signal
/// that has ended one.
int rank_wait_status(int wait_status);

/// "rank 1 was ended by signal 9 (Killed)", or by its own error: of the rank that has ended the others, by
/// the end of the log. "" where it does not say.
std::string ended_rank(std::string_view tail);

}  // namespace expctl
