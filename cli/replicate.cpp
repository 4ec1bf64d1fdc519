#include "cli/replicate.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "reports/config_stats.h"

namespace expctl {

std::vector<int64_t> more_seeds(std::vector<int64_t> seeds, size_t total) {
  int64_t largest = *std::max_element(seeds.begin(), seeds.end());
  while (seeds.size() < total) seeds.push_back(++largest);
  return seeds;
}

std::vector<std::string> best_configs(const std::vector<std::optional<RunRecord>>& runs, size_t best) {
  std::vector<RunRecord> succeeded;
  size_t open = 0;
  for (const auto& run : runs) {
    if (!run || !is_finished(run->state)) ++open;
    if (run && run->state == RunState::kSucceeded && run->f1) succeeded.push_back(*run);
  }
  if (open > 0)
    throw Error(
        fmt::format("{} of the file's {} runs have not ended: which configs are the best is not known yet",
                    open, runs.size()),
        "the same command without --replicate runs them", ErrorCode::kUsage);
  if (succeeded.empty())
    throw Error("none of the file's runs has succeeded with a score", "expctl runs says how they stand",
                ErrorCode::kUsage);
  std::map<std::string, std::string> hash_of;
  for (const auto& run : succeeded) hash_of[run.id] = run.config_hash;
  std::vector<std::string> hashes;
  for (const auto& config : config_stats(succeeded)) {
    if (hashes.size() < best) hashes.push_back(hash_of.at(config.ids.front()));
  }
  return hashes;
}

std::vector<RunSpec> with_more_seeds(const SweepSpec& sweep, const std::vector<RunSpec>& specs,
                                     const Registry& registry, size_t total, size_t best) {
  std::vector<std::optional<RunRecord>> runs;
  std::set<std::pair<std::string, int64_t>> known;
  for (const auto& spec : specs) {
    const std::string hash = config_hash(spec);
    runs.push_back(registry.find_run_by_identity(hash, spec.train.seed));
    known.insert({hash, spec.train.seed});
  }
  SweepSpec longer = sweep;
  longer.seeds = more_seeds(sweep.seeds, total);
  std::vector<RunSpec> wanted = specs;
  for (const auto& hash : best_configs(runs, best)) {
    const auto config = std::find_if(specs.begin(), specs.end(),
                                     [&](const RunSpec& spec) { return config_hash(spec) == hash; });
    for (auto& spec : config_runs(longer, config->params)) {
      spec.early_stop = {};  // a seed of the best is for its score, not in a race with the others
      if (known.insert({hash, spec.train.seed}).second) wanted.push_back(std::move(spec));
    }
  }
  return wanted;
}

}  // namespace expctl
