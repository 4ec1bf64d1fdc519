#include "core/environment.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "core/text.h"
#include "core/version.h"

namespace expctl {
namespace {

/// What follows `key` on the first line of a file of /proc that has it; null where none does.
Json proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto found = line.find(key);
    if (found != std::string::npos) return trim(std::string_view(line).substr(found + key.size()));
  }
  return nullptr;
}

}  // namespace

std::string cpu_name() {
  const Json name = proc_value("/proc/cpuinfo", "model name\t:");
  return name.is_string() ? name.get<std::string>() : "unknown CPU";
}

std::string host_name() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return host;
}

Json environment_of(const WorkerRequest& request) {
  const std::string& commit = request.spec.config_commit;
  return {{"schema_version", 1},
          {"host", host_name()},
          {"cpu", cpu_name()},
          {"gpus", request.devices.gpus},
          {"driver", proc_value("/proc/driver/nvidia/version", "NVRM version:")},
          {"threads", request.devices.threads},
          {"expctl", version()},
          {"build_id", build_id()},
          {"config_commit", commit.empty() ? Json() : Json(commit)}};
}

}  // namespace expctl
