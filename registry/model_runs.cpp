#include "registry/model_runs.h"

namespace expctl {

std::vector<RunRecord> model_runs(const Registry& registry, const RunRecord& entry) {
  std::vector<RunRecord> runs;
  for (const auto& id : registry.ensemble_members(entry.id)) runs.push_back(registry.find_run(id).value());
  return runs.empty() ? std::vector{entry} : runs;
}

}  // namespace expctl
