// Runs as comma-separated values (RFC 4180), for spreadsheets and pandas.
#pragma once

#include <string>
#include <vector>

#include "registry/registry.h"

namespace expctl {

/// What every list of runs holds (run_json()), with a column for each parameter that one of them has.
std::string runs_csv(const std::vector<RunRecord>& runs);
/// The same with sweep, attempts, times (Unix seconds), tags, what is known of the run's config (mean,
/// deviation, scored runs, the interval to the best other config: reports/config_verdict.h) and every
/// parameter, those at their defaults too.
std::string all_csv(const std::vector<RunRecord>& runs);
/// How all_csv() begins.
inline constexpr const char* kCsvMark = "id,sweep,state,";

}  // namespace expctl
