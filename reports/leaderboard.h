// Runs in order of merit, as a table and as JSON.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "registry/records.h"
#include "reports/table.h"

namespace expctl {

/// "81.2345"; "-" where there is none.
std::string score_text(const std::optional<double>& score);

/// The parameters of a config: "learning_rate=3e-05 epochs=2".
std::string config_text(const Json& params);

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

}  // namespace expctl
