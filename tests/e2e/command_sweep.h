// Sweeps of shell scripts in place of a trainer, in a folder of their own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "core/files.h"
#include "core/json.h"
#include "tests/support/one_question.h"
#include "tests/support/support.h"

namespace expctl::test {

/// A sweep over `modes`, each a line of shell; every start is noted in starts.txt.
inline void write_sweep(const TempDir& folder, const std::string& modes, const std::string& more = "") {
  write_file(folder / "dev.json", kOneQuestion);
  write_file(folder / "s.toml",
             "[data]\ndev = \"dev.json\"\n[command]\nargv = [\"/bin/sh\", \"-c\", \"echo {run_id} >> "
             "../../starts.txt; {mode}\"]\n"
             "predictions = \"predictions.json\"\n[sweep]\nseeds = [1]\n[sweep.space]\nmode = [" +
                 modes + "]\n[resources]\ngpus = 0\nretries = 0\n" + more);
}

inline std::vector<std::string> sweep_argv(const TempDir& folder) {
  return {(bin_dir() / "expctl").string(), "--json", "--workspace",
          (folder / "runs").string(),      "sweep",  (folder / "s.toml").string()};
}

inline Json sweep(const TempDir& folder, int expected_code) {
  const ProgramResult result = run_program(sweep_argv(folder));
  INFO(result.err);
  REQUIRE(result.exit_code == expected_code);
  return Json::parse(result.out)["runs"];
}

inline Json by_id(const Json& runs, const std::string& id) {
  for (const auto& run : runs) {
    if (run["id"] == id) return run;
  }
  return {};
}

inline bool wait_until(double limit_s, const std::function<bool()>& holds) {
  for (double waited = 0; waited < limit_s; waited += 0.05) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return holds();
}

/// Whether any process works in the folder.
inline bool someone_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    const auto cwd = std::filesystem::read_symlink(entry.path() / "cwd", error);
    if (!error && cwd.string().starts_with(folder.string())) return true;
  }
  return false;
}

/// Starts the sweep in the background; what it says goes to sweep.log.
inline pid_t spawn_sweep(const TempDir& folder) {
  const auto words = sweep_argv(folder);
  const std::string log = (folder / "sweep.log").string();
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (std::freopen(log.c_str(), "w", stdout) == nullptr || ::dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
    ::_exit(126);
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

/// The same; returns once its first run has been started.
inline pid_t start_sweep(const TempDir& folder) {
  const pid_t child = spawn_sweep(folder);
  REQUIRE(wait_until(10, [&] { return std::filesystem::exists(folder / "starts.txt"); }));
  return child;
}

}  // namespace expctl::test
