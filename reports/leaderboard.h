// Runs in order of merit, as a table and as JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "registry/records.h"
#include "reports/table.h"

namespace expctl {

/// "learning_rate=3e-05 seed=42"; of an ensemble "run3 + run5", with weights where they differ; of an
/// imported run where it came from.
std::string params_text(const RunRecord& run);

/// "epochs=1 optimizer=lamb": the training keys that are not at their defaults, of an ensemble those of its
/// members; "" for an imported run.
std::string changed_keys_text(const RunRecord& run);

/// The best F1 first; of equals the better exact match, then the older. Unscored ones come last, in their
/// order.
std::vector<RunRecord> ranked(std::vector<RunRecord> runs);

/// "45 %, 3 min 4 s left", of a running run.
using DoingText = std::function<std::string(const RunRecord&)>;

/// Id, state, F1, EM, name and parameters of `runs` in the order given; of those running also what they are
/// doing, where that can be told.
std::string runs_table(const std::vector<RunRecord>& runs, const TableStyle& style = {},
                       const DoingText& doing = {});

/// {"id","state","reason","name","params","seed","f1","exact_match"}: what every list of runs holds.
Json run_json(const RunRecord& run);
Json runs_json(const std::vector<RunRecord>& runs);
/// The same with a column for each parameter that one of them has.
std::string runs_csv(const std::vector<RunRecord>& runs);
/// The same with sweep, attempts, times (Unix seconds), tags, what is known of the run's config (mean,
/// deviation, scored runs, the interval to the best other config: reports/config_verdict.h) and every
/// parameter, those at their defaults too.
std::string all_csv(const std::vector<RunRecord>& runs);

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
