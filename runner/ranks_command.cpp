#include "runner/ranks_command.h"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <regex>

#include "core/error.h"
#include "core/text.h"
#include "core/worker_exit.h"
#include "runner/launcher.h"

namespace expctl {
namespace {

constexpr const char* kLauncher = "mpirun";
constexpr int kSignalBase = 128;

/// The first message of that rank in the log, without what it begins with; "" where there is none.
std::string error_of(const std::string& rank, const std::string& tail) {
  const std::string beginning = "expctl-train: rank " + rank + ": ";
  for (const auto& line : split(tail, '\n')) {
    if (line.starts_with(beginning)) return line.substr(beginning.size());
  }
  return "";
}

}  // namespace

int64_t rank_count(const RunSpec& spec) {
  return spec.is_command() ? 1 : std::max<int64_t>(1, spec.resources.gpus);
}

std::vector<std::string> ranks_command(int64_t ranks, const std::vector<std::string>& argv) {
  // Unbound: the run has cores of its own, and mpirun would bind two runs' ranks to the same ones. It counts
  // cores as places for ranks, where a rank waits for a GPU most of the time: hence oversubscribe.
  std::vector<std::string> words = {
      kLauncher, "--allow-run-as-root", "-np", std::to_string(ranks), "--bind-to", "none", "--oversubscribe"};
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

void check_ranks_command() {
  if (is_in_path(kLauncher)) return;
  throw Error(fmt::format("a run on several GPUs is started by {}, which is not in PATH", kLauncher),
              "install Open MPI (Debian: openmpi-bin), or set gpus = 1");
}

const std::vector<std::string>& launcher_variables() {
  static const std::vector<std::string> beginnings = {"OMPI_", "PMIX_", "PMI_", "SLURM_", "PBS_"};
  return beginnings;
}

int rank_wait_status(int wait_status) {
  if (!WIFEXITED(wait_status)) return wait_status;
  const int code = WEXITSTATUS(wait_status);
  const bool is_signal = code > kSignalBase && code < kSignalBase + NSIG && code != kExitTerminated;
  return is_signal ? code - kSignalBase : wait_status;  // a plain number is a signal's status
}

std::string ended_rank(std::string_view tail) {
  static const std::regex by_signal(
      R"(process rank (\d+) with PID \d+ on node \S+ exited on signal (\d+ \([^)]*\)))");
  static const std::regex by_itself(R"(Process name: \[\[\d+,\d+\],(\d+)\]\s+Exit code: +(\d+))");
  const std::string text(tail);
  std::smatch found;
  if (std::regex_search(text, found, by_signal))
    return fmt::format("rank {} was ended by signal {}", found[1].str(), found[2].str());
  if (!std::regex_search(text, found, by_itself)) return "";
  const std::string error = error_of(found[1], text);
  return fmt::format("rank {}: {}", found[1].str(),
                     error.empty() ? fmt::format("ended with exit code {}", found[2].str()) : error);
}

}  // namespace expctl
