// What the verbs share: the global flags, where this program lies, and how a verb says what to run.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/run_paths.h"

namespace expctl {

struct Program {
  std::filesystem::path workspace_dir;  ///< --workspace, EXPCTL_WORKSPACE, or ./runs; made absolute by main
  bool json = false;
  bool quiet = false;
  std::vector<std::string> arguments;  ///< as they were typed, without the program's name
  std::function<int()> action;         ///< set by the verb that was called; returns the exit code

  WorkspacePaths workspace() const { return {workspace_dir}; }
};

/// The path of the running program itself (/proc/self/exe).
std::filesystem::path self_path();

/// " --workspace DIR" for a command to type next, "" where the workspace is the usual one.
std::string workspace_option(const Program& program);

/// "expctl" and the words, quoted for a shell.
std::string command_text(const std::vector<std::string>& words);

/// A line on stderr, also with --quiet. It stands behind what was printed before, where both go to one file.
void tell(const std::string& line);

/// The same, unless --quiet.
void say(const Program& program, const std::string& line);

}  // namespace expctl
