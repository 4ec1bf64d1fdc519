// What the scores of configs over their seeds allow to be said, as numbers (JSON) and as plain sentences:
// `expctl compare` and the report say the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "reports/config_stats.h"
#include "squad/best_of_many.h"
#include "squad/config_difference.h"

namespace expctl {

/// gaps_to_best() from the recorded F1 alone, so of these questions: for each config, the best first; nothing
/// for those that were scored on other data than the best, or not at all.
std::vector<std::optional<GapToBest>> recorded_gaps(const std::vector<ConfigStats>& configs,
                                                    const std::vector<RunRecord>& runs);

/// seed_noise() of the same; `gaps` are recorded_gaps().
std::optional<SeedNoise> recorded_noise(const std::vector<ConfigStats>& configs,
                                        const std::vector<RunRecord>& runs,
                                        const std::vector<std::optional<GapToBest>>& gaps);

/// "-0.412 to 0"
std::string gap_text(const GapToBest& gap);
Json gap_json(const GapToBest& gap);
/// "run7 - run4: F1 +0.2100, 95 % interval over seeds and paragraphs -0.1 to +0.5"
std::string difference_text(const std::string& first, const std::string& second,
                            const ConfigDifference& difference, std::string_view unit = "paragraphs");
/// "3 of 8 configs may still be the best ..."; "" where nothing is known of them. `drawn`: what varies,
/// "seeds and paragraphs".
std::string contenders_text(const std::vector<GapToBest>& gaps, std::string_view drawn);

/// How much better than they are the best look.
struct BestLooks {
  std::string id;         ///< the best run
  double f1 = 0;          ///< its score
  size_t runs = 0;        ///< it was chosen from
  double optimism = 0;    ///< points; of other questions
  size_t seeds = 0;       ///< of its config; the next two are of its seeds
  double above_mean = 0;  ///< how far it stands above its config's mean
  double by_chance = 0;   ///< how far the best of so many would on average
};
/// `noise_sd` is that of question_noise_sd(). Nothing where fewer than two runs are scored.
std::optional<BestLooks> best_looks(const std::vector<RunRecord>& runs, double noise_sd);
/// "The best of 24 runs looks 0.31 F1 better than it is: ..."
std::string best_looks_text(const BestLooks& looks);
Json best_looks_json(const BestLooks& looks);

/// How many seeds a difference needs.
struct SeedPlan {
  double difference = 0;                ///< that is to be found
  double seed_sd = 0;                   ///< of the difference of one training of each
  std::optional<size_t> seeds;          ///< of each config, the same ones; nothing: more than 10,000
  std::optional<size_t> seeds_at_most;  ///< with 90 %, by what is known of `seed_sd`; likewise
  double least_shown = 0;  ///< the least difference on other questions that any number of seeds would show
};
/// With a power of 80 % in a two-sided test at 5 %. `wished`: 0 for the difference that was found. `noise`:
/// of more configs than the two, where there are.
std::optional<SeedPlan> seed_plan(const ConfigDifference& difference, double wished,
                                  const std::optional<SeedNoise>& noise = {});
std::string seed_plan_text(const SeedPlan& plan);
Json seed_plan_json(const SeedPlan& plan);

/// Low and high, errors and what they are made of; null where there is no interval.
Json interval_json(const ConfigDifference& difference);

}  // namespace expctl
