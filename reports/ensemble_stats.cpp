#include "reports/ensemble_stats.h"

#include <fmt/format.h>

#include <set>

#include "core/run_paths.h"

namespace expctl {

Json ensemble_inference_stats(const std::vector<std::pair<std::string, std::filesystem::path>>& members) {
  Json all = Json::object();
  double total_s = 0;
  std::set<std::string> precisions;
  for (const auto& [name, folder] : members) {
    const auto file = RunPaths{folder}.inference_stats();
    all[name] = read_json(file);
    precisions.insert(json_get<std::string>(all[name], "precision", file.string()));
    total_s += json_get<double>(all[name], "total_inference_time_s", file.string());
  }
  return {{"schema_version", 1},
          {"total_inference_time_s", total_s},
          {"precision", fmt::format("{}", fmt::join(precisions, ", "))},
          {"members", all}};
}

}  // namespace expctl
