#include "cli/run_scores.h"

#include <fmt/core.h>

#include <filesystem>

#include "core/files.h"
#include "core/hash.h"
#include "registry/spec_of.h"

namespace expctl {

Input dev_data_of(const Registry& registry, const RunRecord& run) {
  if (!run.spec.contains("members")) return spec_of(run).dev_data;
  const auto members = registry.ensemble_members(run.id);
  return members.empty() ? Input{} : dev_data_of(registry, registry.resolve_run(members.front()));
}

std::string why_not_readable(const Input& dev) {
  if (std::filesystem::is_regular_file(dev.path) && sha256_file(dev.path) == dev.sha256) return "";
  return fmt::format("{}: it is not there, or has changed since", dev.path);
}

Score score_of_run(const Dataset& dev, const WorkspacePaths& workspace, const RunRecord& run) {
  const auto predictions = RunPaths{workspace.folder(run.id)}.predictions();
  return score_predictions(dev, parse_predictions(read_file(predictions), predictions.string()));
}

}  // namespace expctl
