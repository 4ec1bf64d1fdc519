// Starts a program as the leader of its own session, so that it and all that it starts can be ended together.
//
// The only file that knows Boost.Process (v2). The caller waits with waitpid(): Boost's handle is let go at
// once, since a supervisor has to reap processes that it did not start as well.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace expctl {

struct LaunchSpec {
  std::vector<std::string> argv;  ///< argv[0] is looked up in PATH where it has no slash
  std::filesystem::path folder;   ///< where it runs
  std::filesystem::path log;      ///< stdout and stderr are appended to it; stdin is /dev/null
  std::vector<std::pair<std::string, std::string>> environment;  ///< on top of the inherited one
  std::vector<int> cpu_ids;                                      ///< affinity; empty: as inherited
  std::vector<int> kept_descriptors;      ///< open in the program too, beside 0, 1 and 2
  int parent_death_signal = 0;            ///< what it gets when the thread that launched it ends; 0: nothing
  std::filesystem::path errors = {};      ///< where stderr is appended to instead; "": it goes to the log too
  std::vector<std::string> dropped = {};  ///< inherited variables whose names begin so are not passed on
  std::vector<int> blocked_signals = {};  ///< it does not hear them, unless it unblocks them itself
};

/// Returns the process id once the program itself runs. No other descriptor is passed on; other signals are
/// unblocked. Throws Error "cannot start X: No such file or directory" where the program, its folder or its
/// log cannot be used; no process is left behind then.
pid_t launch(const LaunchSpec& spec);

/// The file that `name` means: itself where it has a slash, else the first executable of that name in `path`
/// ("" where there is none).
std::filesystem::path find_program(const std::string& name, const std::string& path);
/// Whether this process's PATH has it.
bool is_in_path(const std::string& name);

}  // namespace expctl
