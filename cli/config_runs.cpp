#include "cli/config_runs.h"

#include <fmt/core.h>

#include "cli/run_scores.h"
#include "core/error.h"
#include "squad/best_of_many.h"

namespace expctl {

ScoredConfigs read_scores(const Registry& registry, const WorkspacePaths& workspace,
                          std::vector<ConfigRuns> configs, bool by_article) {
  const RunRecord& first = configs.front().runs.front();
  const Input dev = dev_data_of(registry, first);
  for (const auto& config : configs) {
    const RunRecord& run = config.runs.front();
    if (dev_data_of(registry, run).sha256 != dev.sha256)
      throw Error(fmt::format("{} and {} were scored on different data", first.id, run.id),
                  "only answers to the same questions can be compared");
  }
  if (const auto why = why_not_readable(dev); !why.empty())
    throw Error(why, "questions are compared one by one, with the data that they were scored on");
  const Dataset dataset = read_dataset(dev.path);
  ScoredConfigs scored{std::move(configs), question_groups(by_article ? question_articles(dataset)
                                                                      : question_paragraphs(dataset))};
  if (scored.groups.sizes.size() < 2)
    throw Error(fmt::format("{} has one {} only: it says nothing of others", dev.path,
                            by_article ? "article" : "paragraph"),
                by_article ? "leave out --by: questions are drawn by the paragraph then" : "");
  for (auto& config : scored.all) {
    for (const auto& run : config.runs)
      config.scores.push_back(seed_score(score_of_run(dataset, workspace, run), run.seed, scored.groups));
  }
  return scored;
}

double noise_sd_of(const ScoredConfigs& scored) {
  std::vector<SeedScore> runs;
  for (const auto& config : scored.all) runs.insert(runs.end(), config.scores.begin(), config.scores.end());
  return question_noise_sd(runs, scored.groups);
}

}  // namespace expctl
