#include "core/machine.h"

#include <unistd.h>

#include <fstream>

#include "core/text.h"

namespace expctl {
namespace {

/// What follows `key` on the first line of a file of /proc that has it.
std::optional<std::string> proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto found = line.find(key);
    if (found != std::string::npos)
      return std::string(trim(std::string_view(line).substr(found + key.size())));
  }
  return std::nullopt;
}

}  // namespace

std::string host_name() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return host;
}

std::string cpu_name() {
  return proc_value("/proc/cpuinfo", "model name\t:").value_or("unknown CPU");
}

std::optional<std::string> nvidia_driver() {
  return proc_value("/proc/driver/nvidia/version", "NVRM version:");
}

}  // namespace expctl
