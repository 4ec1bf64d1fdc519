#include "runner/replay_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace expctl {
namespace {

/// Beside the weights' folder, what a training makes that depends on nothing but its spec.
bool is_compared(const std::string& path) {
  static const std::set<std::string> files = {"logits.safetensors", "predictions.json",
                                              "nbest_predictions.json"};
  return files.contains(path) || path.starts_with("checkpoint/");
}

}  // namespace

ReplayCheck compare_steps(const std::vector<MetricRecord>& recorded,
                          const std::vector<MetricRecord>& replayed) {
  ReplayCheck check{"steps", false, ""};
  for (size_t i = 0; i < std::min(recorded.size(), replayed.size()); ++i) {
    const MetricRecord &a = recorded[i], &b = replayed[i];
    if (a.step == b.step && a.epoch == b.epoch && a.loss == b.loss && a.learning_rate == b.learning_rate)
      continue;
    check.why = fmt::format("step {}: loss {} and learning rate {} on record, {} and {} now", a.step, a.loss,
                            a.learning_rate, b.loss, b.learning_rate);
    return check;
  }
  check.is_same = recorded.size() == replayed.size();
  if (!check.is_same) check.why = fmt::format("{} on record, {} now", recorded.size(), replayed.size());
  return check;
}

std::vector<ReplayCheck> compare_files(const std::vector<ArtifactRecord>& recorded,
                                       const std::vector<ArtifactRecord>& replayed) {
  std::vector<ReplayCheck> checks;
  for (const auto& artifact : recorded) {
    if (!is_compared(artifact.path)) continue;
    const auto found = std::find_if(replayed.begin(), replayed.end(),
                                    [&](const ArtifactRecord& other) { return other.path == artifact.path; });
    const bool is_there = found != replayed.end();
    const bool is_same = is_there && found->sha256 == artifact.sha256;
    checks.push_back({artifact.path, is_same,
                      is_same    ? ""
                      : is_there ? "another content"
                                 : "it was not made"});
  }
  return checks;
}

}  // namespace expctl
