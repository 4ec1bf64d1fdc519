// An outside program (squeue, qsub, curl, ...), started and looked at again later: it may take long to
// answer.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace expctl {

struct ToolResult {
  int exit_code = 0;  ///< 128 + signal where one ended it
  bool timed_out = false;
  std::string out;
  std::string err;
};

class ToolCall {
 public:
  /// It runs in "/", and is killed with the thread that made this. Throws Error where it cannot be started.
  ToolCall(const std::vector<std::string>& argv, double timeout_s);
  /// Kills it where it still runs.
  ~ToolCall();
  ToolCall(ToolCall&& other) noexcept;
  ToolCall& operator=(ToolCall&& other) noexcept;

  /// Its result once it has ended, or has been killed after the timeout.
  std::optional<ToolResult> poll();
  /// The same, waiting.
  ToolResult wait();

 private:
  double until_ = 0;
  pid_t pid_ = 0;  ///< 0: ended
  bool timed_out_ = false;
  int out_ = -1;  ///< files in memory
  int err_ = -1;
};

}  // namespace expctl
