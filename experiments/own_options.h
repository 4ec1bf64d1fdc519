// The options of a job script that expctl keeps for itself: [executor] extra cannot have them.
#pragma once

#include <string>

#include "core/run_spec.h"

namespace expctl {

/// The first line of `extra` that gives an option which the script for this kind of cluster gives by itself
/// (runner/slurm.cpp, runner/pbs.cpp), in its long or short form, apart from its value or not; "" where there
/// is none.
std::string own_option_in(const ExecutorSpec& executor);

/// What is said of such a line.
std::string own_option_text(const std::string& line);

}  // namespace expctl
