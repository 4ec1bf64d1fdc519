#include "runner/process_table.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/text.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// Like read_file, but a process may vanish at any moment: then "".
std::string read_proc(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

/// From /proc/PID/stat, nothing where there is no such process or only its unreaped remains. The name in
/// parentheses may hold anything, so fields are counted after the last ')'.
std::optional<pid_t> parent_of(pid_t pid) {
  const std::string text = read_proc(fmt::format("/proc/{}/stat", pid));
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  char state = 0;
  pid_t parent = 0;
  fields >> state >> parent;
  if (!fields || state == 'Z' || state == 'X') return std::nullopt;
  return parent;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    if (const auto pid = parse_number<pid_t>(it->path().filename().string())) pids.push_back(*pid);
  }
  return pids;
}

}  // namespace

std::vector<pid_t> descendants(pid_t pid) {
  std::vector<std::pair<pid_t, pid_t>> parents;
  for (const pid_t candidate : all_processes()) {
    if (const auto parent = parent_of(candidate)) parents.emplace_back(candidate, *parent);
  }
  std::vector<pid_t> found;
  std::vector<pid_t> open = {pid};
  while (!open.empty()) {
    const pid_t parent = open.back();
    open.pop_back();
    for (const auto& [child, its_parent] : parents) {
      if (its_parent != parent || std::find(found.begin(), found.end(), child) != found.end()) continue;
      found.push_back(child);
      open.push_back(child);
    }
  }
  return found;
}

std::vector<pid_t> processes_of_attempt(const std::string& token) {
  const std::string setting = fmt::format("{}={}", kAttemptVariable, token);
  std::vector<pid_t> found;
  for (const pid_t pid : all_processes()) {
    if (pid == ::getpid() || !parent_of(pid)) continue;
    const auto variables = split(read_proc(fmt::format("/proc/{}/environ", pid)), '\0');
    if (std::find(variables.begin(), variables.end(), setting) != variables.end()) found.push_back(pid);
  }
  return found;
}

int64_t out_of_memory_kills() {
  for (const auto& line : split(read_proc("/proc/self/cgroup"), '\n')) {
    if (!line.starts_with("0::/")) continue;
    std::istringstream events(read_proc(fmt::format("/sys/fs/cgroup{}/memory.events", line.substr(3))));
    std::string name;
    int64_t count = 0;
    while (events >> name >> count) {
      if (name == "oom_kill") return count;
    }
  }
  return 0;
}

}  // namespace expctl
