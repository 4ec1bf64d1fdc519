// Runs of one config side by side: mean and standard deviation over seeds.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "registry/registry.h"
#include "reports/table.h"

namespace expctl {

/// Runs of one config, which differ by their seeds.
struct ConfigStats {
  std::string name;
  std::string params;
  std::vector<std::string> ids;  ///< the best F1 first, unscored ones last
  size_t scored = 0;
  double mean_f1 = 0;  ///< of the scored ones, like the next
  double sd_f1 = 0;    ///< sample standard deviation; 0 of one
};
/// The best mean first; configs without a score last. Ensembles are left out: they have no seed.
std::vector<ConfigStats> config_stats(const std::vector<RunRecord>& runs);
std::string config_table(const std::vector<ConfigStats>& configs, const TableStyle& style = {});
Json config_json(const std::vector<ConfigStats>& configs);

}  // namespace expctl
