#include "reports/config_stats.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/text.h"
#include "reports/leaderboard.h"
#include "reports/table.h"

namespace expctl {
namespace {

ConfigStats stats_of(const std::vector<RunRecord>& runs) {
  ConfigStats stats;
  stats.name = runs.front().name;
  stats.params = config_text(runs.front().params);
  double sum = 0, squares = 0;
  for (const auto& run : ranked(runs)) {
    stats.ids.push_back(run.id);
    if (!run.f1) continue;
    ++stats.scored;
    sum += *run.f1;
  }
  if (stats.scored == 0) return stats;
  stats.mean_f1 = sum / static_cast<double>(stats.scored);
  for (const auto& run : runs) squares += run.f1 ? std::pow(*run.f1 - stats.mean_f1, 2) : 0;
  if (stats.scored > 1) stats.sd_f1 = std::sqrt(squares / static_cast<double>(stats.scored - 1));
  return stats;
}

}  // namespace

std::vector<ConfigStats> config_stats(const std::vector<RunRecord>& runs) {
  std::map<std::string, std::vector<RunRecord>> by_config;
  std::vector<std::string> in_order;
  for (const auto& run : runs) {
    if (run.config_hash.empty()) continue;
    auto& members = by_config[run.config_hash];
    if (members.empty()) in_order.push_back(run.config_hash);
    members.push_back(run);
  }
  std::vector<ConfigStats> configs;
  for (const auto& hash : in_order) configs.push_back(stats_of(by_config.at(hash)));
  std::stable_sort(configs.begin(), configs.end(), [](const ConfigStats& a, const ConfigStats& b) {
    return (a.scored > 0 ? a.mean_f1 : -1) > (b.scored > 0 ? b.mean_f1 : -1);
  });
  return configs;
}

std::string config_table(const std::vector<ConfigStats>& configs, const TableStyle& style) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& c : configs) {
    rows.push_back({c.scored > 0 ? fmt::format("{:.4f}", c.mean_f1) : "-",
                    c.scored > 1 ? fmt::format("{:.4f}", c.sd_f1) : "-",
                    fmt::format("{} of {}", c.scored, c.ids.size()), c.ids.front(), c.name, c.params});
  }
  return render_table({"mean F1", "sd", "scored", "best", "name", "parameters"}, rows, style);
}

Json config_json(const std::vector<ConfigStats>& configs) {
  Json list = Json::array();
  for (const auto& c : configs) {
    list.push_back({{"name", c.name},
                    {"params", c.params},
                    {"ids", c.ids},
                    {"scored", c.scored},
                    {"mean_f1", c.scored > 0 ? Json(c.mean_f1) : Json()},
                    {"sd_f1", c.scored > 1 ? Json(c.sd_f1) : Json()}});
  }
  return {{"schema_version", 1}, {"configs", list}};
}

}  // namespace expctl
