// Libraries of expctl-train that are loaded where a run needs them: what they need in their turn (CUDA, MPI)
// is neither there on every machine nor worth waiting for in every run.
#pragma once

#include <string>

#include "core/error.h"

namespace expctl {

struct Plugin {
  std::string file;   ///< its name, beside the program
  Error absent;       ///< thrown where there is no such file
  std::string needs;  ///< the hint where it does not load
};

/// The address of an extern "C" function of the library, which stays loaded. Throws Error.
void* plugin_function(const Plugin& plugin, const char* name);

}  // namespace expctl
