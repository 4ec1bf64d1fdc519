#include "cli/run_scores.h"

#include <fmt/core.h>

#include "core/hash.h"
#include "registry/spec_of.h"

namespace expctl {

Input dev_data_of(const Registry& registry, const RunRecord& run) {
  if (!run.spec.contains("members")) return spec_of(run).dev_data;
  const auto members = registry.ensemble_members(run.id);
  return members.empty() ? Input{} : dev_data_of(registry, registry.resolve_run(members.front()));
}

std::string why_not_readable(const Input& dev) {
  if (is_unchanged(dev.path, dev.sha256)) return "";
  return fmt::format("{}: it is not there, or has changed since", dev.path);
}

Score score_of_run(const Dataset& dev, const WorkspacePaths& workspace, const RunRecord& run) {
  return score_predictions(dev, read_predictions(workspace.run(run.id).predictions()));
}

}  // namespace expctl
