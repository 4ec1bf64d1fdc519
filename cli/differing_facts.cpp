#include "cli/differing_facts.h"

#include <map>
#include <set>

#include "core/text.h"
#include "core/train_spec.h"
#include "registry/spec_of.h"
#include "reports/leaderboard.h"

namespace expctl {
namespace {

/// What tells one entry from another: parameters, training keys, seed, data.
std::map<std::string, std::string> facts_of(const RunRecord& run) {
  std::map<std::string, std::string> facts;
  if (run.spec.contains("members")) {
    facts["members"] = params_text(run);
    return facts;
  }
  const RunSpec spec = spec_of(run);
  if (!spec.is_command()) {
    for (const auto& key : train_keys())
      facts[std::string(key.name)] = scalar_text(get_train_key(spec.train, key));
  }
  for (const auto& [key, value] : run.params.items()) facts[key] = scalar_text(value);
  facts["seed"] = std::to_string(run.seed);
  facts["command"] = join(spec.command.argv, " ");
  facts["data.train"] = spec.train_data.path;
  facts["data.dev"] = spec.dev_data.path;
  facts["data.teacher"] = spec.teacher.path.empty() ? "none" : spec.teacher.path;
  facts["model.init"] = spec.init.path;
  return facts;
}

}  // namespace

std::vector<std::vector<std::string>> differing_facts(const std::vector<RunRecord>& runs) {
  std::map<std::string, std::vector<std::string>> by_key;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [key, value] : facts_of(runs[i])) {
      auto& values = by_key[key];
      values.resize(runs.size(), "-");
      values[i] = value.empty() ? "-" : value;
    }
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, values] : by_key) {
    std::set<std::string> different(values.begin(), values.end());
    different.erase("-");
    if (different.size() < 2 && key != "members") continue;
    rows.push_back({key});
    rows.back().insert(rows.back().end(), values.begin(), values.end());
  }
  return rows;
}

}  // namespace expctl
