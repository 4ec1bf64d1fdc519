// Configs with the runs of all their seeds, scored question by question.
#pragma once

#include <vector>

#include "core/run_paths.h"
#include "registry/registry.h"
#include "reports/config_stats.h"
#include "squad/config_difference.h"

namespace expctl {

struct ConfigRuns {
  ConfigStats stats;
  std::vector<RunRecord> runs;  ///< scored ones, the best first
  ConfigScores scores;
};

struct ScoredConfigs {
  std::vector<ConfigRuns> all;
  QuestionGroups groups;
};

/// Fills in the scores. Throws Error where the runs were not all scored on one dev file that is still there
/// as it was, where the predictions of one are gone, or where there is only one group. `by_article`: the
/// groups are articles, else paragraphs.
ScoredConfigs read_scores(const Registry& registry, const WorkspacePaths& workspace,
                          std::vector<ConfigRuns> configs, bool by_article);

/// question_noise_sd() of all their runs.
double noise_sd_of(const ScoredConfigs& scored);

}  // namespace expctl
