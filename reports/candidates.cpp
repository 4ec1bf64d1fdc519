#include "reports/candidates.h"

#include <algorithm>
#include <set>

#include "core/evaluation_settings.h"
#include "registry/model_runs.h"

namespace expctl {

std::vector<RunRecord> find_entries(const Registry& registry, const std::vector<std::string>& from) {
  std::set<std::string> named, swept;
  for (const auto& word : from) {
    if (registry.find_sweep(word)) {
      RunFilter filter;
      filter.sweep_id = word;
      for (const auto& run : registry.list_runs(filter)) swept.insert(run.id);
    } else {
      named.insert(registry.resolve_run(word).id);
    }
  }
  std::vector<RunRecord> entries;
  for (const auto& record : registry.list_runs()) {
    if (record.state != RunState::kSucceeded) continue;
    const auto runs = model_runs(registry, record);
    const bool is_swept =
        std::all_of(runs.begin(), runs.end(), [&](const RunRecord& run) { return swept.contains(run.id); });
    if (from.empty() || named.contains(record.id) || is_swept) entries.push_back(record);
  }
  return entries;
}

std::vector<Candidate> scored_by(const Registry& registry, const std::vector<RunRecord>& entries,
                                 const std::string& name) {
  std::vector<Candidate> candidates;
  for (const auto& entry : entries) {
    for (const auto& evaluation : registry.evaluations(entry.id)) {
      if (evaluation.name != name) continue;
      candidates.push_back({entry, evaluation_identity(evaluation.settings)});
      candidates.back().record.f1 = evaluation.f1;
      candidates.back().record.exact_match = evaluation.exact_match;
    }
  }
  return candidates;
}

std::vector<Candidate> find_candidates(const Registry& registry, const std::vector<std::string>& from,
                                       const std::string& evaluation) {
  return scored_by(registry, find_entries(registry, from), evaluation);
}

}  // namespace expctl
