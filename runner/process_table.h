// Questions about processes, answered from /proc: what has this one started, what belongs to an attempt.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace expctl {

/// The variable that every process of an attempt inherits; its value is the attempt's token.
inline constexpr const char* kAttemptVariable = "EXPCTL_ATTEMPT_TOKEN";

/// Everything below a process, however far.
std::vector<pid_t> descendants(pid_t pid);

/// Living processes whose environment was started with this attempt's token; the caller itself is left out.
std::vector<pid_t> processes_of_attempt(const std::string& token);

/// How often the kernel has ended a process of this cgroup for lack of memory; 0 where that cannot be read.
int64_t out_of_memory_kills();

}  // namespace expctl
