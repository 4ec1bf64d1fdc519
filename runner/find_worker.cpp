#include "runner/find_worker.h"

#include <fmt/core.h>

#include <cstdlib>

#include "core/error.h"

namespace expctl {

std::filesystem::path find_worker(const std::filesystem::path& self) {
  const auto folder = self.parent_path();
  const auto beside = folder / "expctl-train";
  if (std::filesystem::exists(beside)) return beside;
  const auto installed = (folder / "../libexec/expctl/expctl-train").lexically_normal();
  if (std::filesystem::exists(installed)) return installed;
  const char* set = std::getenv("EXPCTL_TRAIN");
  if (set != nullptr && std::filesystem::exists(set)) return set;
  throw Error(fmt::format("expctl-train was not found as {} or {}", beside.string(), installed.string()),
              "build it (scripts/setup.sh), or say where it is with EXPCTL_TRAIN", ErrorCode::kNotFound);
}

bool computes_on_gpus(const std::filesystem::path& worker) {
  if (worker.empty()) return false;
  return std::filesystem::exists(std::filesystem::canonical(worker).parent_path() / "libexpctl_cuda.so");
}

}  // namespace expctl
