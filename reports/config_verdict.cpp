#include "reports/config_verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/distributions.h"
#include "registry/spec_of.h"
#include "reports/leaderboard.h"

namespace expctl {

namespace {

/// What is on record of configs that were scored on the same data as the best.
struct Recorded {
  std::vector<ConfigScores> scores;
  std::vector<size_t> places;  ///< of each its config
};

Recorded recorded_scores(const std::vector<ConfigStats>& configs, const std::vector<RunRecord>& runs) {
  std::map<std::string, const RunRecord*> by_id;
  for (const auto& run : runs) by_id[run.id] = &run;
  const auto data_of = [&](const ConfigStats& config) {
    return spec_of(*by_id.at(config.ids.front())).dev_data.sha256;
  };
  Recorded recorded;
  const std::string data = configs.empty() ? "" : data_of(configs.front());
  for (size_t i = 0; i < configs.size(); ++i) {
    if (configs[i].scored == 0 || data_of(configs[i]) != data) continue;
    auto& of_config = recorded.scores.emplace_back();
    for (const auto& id : configs[i].ids) {
      const RunRecord& run = *by_id.at(id);
      if (run.f1) of_config.push_back({run.seed, {*run.f1}});
    }
    recorded.places.push_back(i);
  }
  return recorded;
}

}  // namespace

std::vector<std::optional<GapToBest>> recorded_gaps(const std::vector<ConfigStats>& configs,
                                                    const std::vector<RunRecord>& runs) {
  const Recorded recorded = recorded_scores(configs, runs);
  std::vector<std::optional<GapToBest>> gaps(configs.size());
  const auto found = gaps_to_best(recorded.scores, one_group());
  for (size_t i = 0; i < found.size(); ++i) gaps[recorded.places[i]] = found[i];
  return gaps;
}

std::optional<SeedNoise> recorded_noise(const std::vector<ConfigStats>& configs,
                                        const std::vector<RunRecord>& runs,
                                        const std::vector<std::optional<GapToBest>>& gaps) {
  const Recorded recorded = recorded_scores(configs, runs);
  std::vector<GapToBest> known;
  for (const size_t place : recorded.places) {
    if (gaps[place]) known.push_back(*gaps[place]);
  }
  return seed_noise(recorded.scores, known, one_group());
}

std::string gap_text(const GapToBest& gap) {
  const auto side = [](double points) { return points == 0 ? "0" : fmt::format("{:+.3f}", points); };
  return fmt::format("{} to {}", side(gap.low), side(gap.high));
}

Json gap_json(const GapToBest& gap) {
  return {{"low", gap.low}, {"high", gap.high}, {"may_be_best", gap.may_be_best}};
}

std::string difference_text(const std::string& first, const std::string& second,
                            const ConfigDifference& difference, std::string_view unit) {
  const std::string text = fmt::format("{} - {}: F1 {:+.4f}", second, first, difference.f1);
  if (!difference.interval) return text + "; no interval: each config needs two seeds or more";
  const std::string paired = !difference.is_paired ? ""
                             : difference.has_others
                                 ? fmt::format(", the {} that both have,", difference.pairs)
                                 : ", which are the same,";
  return fmt::format("{}, 95 % interval over seeds{} and {} {:+.4f} to {:+.4f}", text, paired, unit,
                     difference.interval->low, difference.interval->high);
}

std::string contenders_text(const std::vector<GapToBest>& gaps, std::string_view drawn) {
  const auto count =
      std::count_if(gaps.begin(), gaps.end(), [](const GapToBest& gap) { return gap.may_be_best; });
  if (gaps.empty()) return "";
  return fmt::format(
      "{} of {} configs may still be the best (95 % confidence for all statements together, over {}).", count,
      gaps.size(), drawn);
}

std::optional<BestLooks> best_looks(const std::vector<RunRecord>& runs, double noise_sd) {
  std::vector<RunRecord> scored;
  std::vector<double> f1;
  for (const auto& run : ranked(runs)) {
    if (!run.f1) continue;
    scored.push_back(run);
    f1.push_back(*run.f1);
  }
  if (scored.size() < 2) return std::nullopt;
  const RunRecord& best = scored.front();
  BestLooks looks{best.id, *best.f1, scored.size(), selection_optimism(f1, noise_sd)};
  std::erase_if(scored, [&](const RunRecord& run) { return run.config_hash != best.config_hash; });
  const ConfigStats config = config_stats(scored).front();
  looks.seeds = config.scored;
  looks.above_mean = looks.f1 - config.mean_f1;
  looks.by_chance = config.sd_f1 * expected_maximum(config.scored);
  return looks;
}

std::string best_looks_text(const BestLooks& looks) {
  std::string text =
      fmt::format("The best of {} runs, {}, looks {:.2f} F1 better than it is: it was chosen by this score.",
                  looks.runs, looks.id, looks.optimism);
  if (looks.seeds > 1)
    text += fmt::format(
        " Its score is {:.2f} above the mean of its config's {} seeds; luck alone gives {:.2f} to the best "
        "of {}.",
        looks.above_mean, looks.seeds, looks.by_chance, looks.seeds);
  else
    text += " What its seed adds to that is not known: its config has no other.";
  return text;
}

Json best_looks_json(const BestLooks& looks) {
  return {{"id", looks.id},
          {"f1", looks.f1},
          {"runs", looks.runs},
          {"optimism", looks.optimism},
          {"seeds", looks.seeds},
          {"above_mean", looks.above_mean},
          {"by_chance", looks.by_chance}};
}

std::optional<SeedPlan> seed_plan(const ConfigDifference& difference, double wished,
                                  const std::optional<SeedNoise>& noise) {
  constexpr double kPower = 0.8;
  const double quantiles = 1.959964 + 0.841621;  // of a two-sided test at 5 %, of that power
  constexpr double kRounding = 1e-9;             // seeds that are alike differ by it
  if (!difference.interval) return std::nullopt;
  const auto& interval = *difference.interval;
  const SeedNoise known = noise ? *noise : SeedNoise{interval.seed_sd, interval.seed_degrees};
  if (known.sd < kRounding) return std::nullopt;
  SeedPlan plan;
  plan.difference = wished > 0 ? wished : std::abs(difference.f1);
  plan.seed_sd = known.sd;
  plan.seeds = values_needed(plan.difference, known.sd, kPower);
  plan.seeds_at_most = values_needed(plan.difference, sd_upper_limit(known.sd, known.degrees), kPower);
  plan.least_shown = quantiles * interval.question_error;
  return plan;
}

std::string seed_plan_text(const SeedPlan& plan) {
  const auto text_of = [](const std::optional<size_t>& seeds) {
    return seeds ? std::to_string(*seeds) : std::string("more than 10,000");
  };
  std::string text = fmt::format(
      "To find a difference of {:.2f} on these questions (80 % power, two-sided 5 %): {} seeds of "
      "each, the same for both",
      plan.difference, text_of(plan.seeds));
  if (plan.seeds_at_most != plan.seeds)
    text += fmt::format(" (up to {}, by a 90 % limit of how much seeds vary)", text_of(plan.seeds_at_most));
  text += ".";
  constexpr double kToBeSaid = 0.005;  // what would not be 0.00
  if (plan.least_shown >= kToBeSaid)
    text += fmt::format(
        " A difference below {:.2f} cannot be shown for new questions, however many seeds you train.",
        plan.least_shown);
  return text;
}

Json seed_plan_json(const SeedPlan& plan) {
  return {{"difference", plan.difference},
          {"seed_sd", plan.seed_sd},
          {"seeds", json_or_null(plan.seeds)},
          {"seeds_at_most", json_or_null(plan.seeds_at_most)},
          {"least_shown", plan.least_shown}};
}

Json interval_json(const ConfigDifference& difference) {
  if (!difference.interval) return {};
  const auto& interval = *difference.interval;
  return {{"low", interval.low},
          {"high", interval.high},
          {"standard_error", interval.standard_error},
          {"degrees", interval.degrees},
          {"seed_sd", interval.seed_sd},
          {"question_error", interval.question_error}};
}

}  // namespace expctl
