// What is different between clusters: how a job array is written down, handed in, asked after and cancelled.
// Everything but the commands' own work is a function of values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/job_array.h"
#include "runner/tool_call.h"

namespace expctl {

/// Where a job of an array is, as far as the cluster says.
enum class TaskState {
  kUnknown,  ///< it could not be asked (yet)
  kPending,
  kRunning,  ///< also while it is being ended
  kCompleted,
  kFailed,  ///< by an exit code or a signal
  kCancelled,
  kTimedOut,
  kPreempted,
  kNodeFailed,
  kOutOfMemory,
  kGone  ///< the cluster no longer knows it
};

bool is_over(TaskState state);

struct ListedTask {
  std::string job_id;           ///< of the array
  std::string key;              ///< "" where the cluster does not tell it
  std::optional<size_t> index;  ///< nothing: this entry speaks for every task that has none of its own
  TaskState state = TaskState::kUnknown;
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  virtual std::string script(const JobScript& script) const = 0;

  virtual std::vector<std::string> submit_command(const std::filesystem::path& script) const = 0;
  /// The array's id. Throws Error with what the cluster said where it refused the script; nothing where it
  /// could not be reached, or may have taken it.
  virtual std::optional<std::string> submitted_id(const ToolResult& result) const = 0;

  /// Asks after the arrays; also after those whose id is not known (finds them by their key).
  virtual std::vector<std::string> list_command(const std::vector<JobArray>& arrays) const = 0;
  /// Nothing where the cluster could not be reached, or has to be asked in another way: list_command() knows
  /// then.
  virtual std::optional<std::vector<ListedTask>> listed(const ToolResult& result) = 0;

  /// A task as the cluster itself calls it, also in the environment of its job.
  virtual std::string job_name(const std::string& job_id, size_t index) const = 0;
  virtual std::vector<std::string> cancel_command(const std::vector<std::string>& job_names) const = 0;
};

/// "slurm" or "pbs".
std::unique_ptr<Cluster> make_cluster(const std::string& kind);

/// Throws Error where PATH has not the program by which jobs of this kind of cluster are handed in.
void check_submit_program(const std::string& kind);

}  // namespace expctl
