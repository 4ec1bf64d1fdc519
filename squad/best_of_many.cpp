#include "squad/best_of_many.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/counter_random.h"
#include "core/distributions.h"
#include "squad/seed_table.h"

namespace expctl {
namespace {

bool all_have_same_seeds(const std::vector<ConfigScores>& configs) {
  return std::all_of(configs.begin(), configs.end(),
                     [&](const ConfigScores& config) { return have_same_seeds(configs.front(), config); });
}

/// What is added to and taken off a difference so that all intervals hold: [configs][configs].
std::vector<std::vector<double>> critical_differences(const std::vector<SeedTable>& tables,
                                                      const SeedSquares& squares,
                                                      const QuestionGroups& groups) {
  const size_t count = tables.size();
  const double probability = 1 - 0.05 / static_cast<double>(count - 1);
  std::vector<std::vector<double>> means;
  for (const auto& table : tables) means.push_back(mean_row(table));
  std::vector<std::vector<double>> critical(count, std::vector<double>(count, 0));
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double each =
          1 / static_cast<double>(tables[i].size()) + 1 / static_cast<double>(tables[j].size());
      std::vector<double> difference = means[i];
      for (size_t g = 0; g < difference.size(); ++g) difference[g] -= means[j][g];
      const VarianceParts parts = {question_variance(difference, groups),
                                   squares.seeds * each,
                                   squares.interaction * each,
                                   question_degrees(groups),
                                   squares.degrees,
                                   squares.degrees * question_degrees(groups)};
      if (parts.total() > 0)
        critical[i][j] = critical[j][i] =
            student_t_quantile(probability, parts.degrees()) * std::sqrt(parts.total());
    }
  }
  return critical;
}

}  // namespace

std::vector<GapToBest> gaps_to_best(const std::vector<ConfigScores>& configs, const QuestionGroups& groups) {
  const size_t count = configs.size();
  if (count < 2) return {};
  std::vector<SeedTable> tables;
  std::vector<double> f1;
  for (const auto& config : configs) {
    tables.push_back(rows_of(config));
    f1.push_back(mean_f1(config, groups));
  }
  const SeedSquares squares = seed_squares(tables, groups, all_have_same_seeds(configs));
  if (squares.degrees <= 0) return {};
  const auto critical = critical_differences(tables, squares, groups);
  std::vector<GapToBest> gaps(count);
  const double highest = *std::max_element(f1.begin(), f1.end());
  for (size_t i = 0; i < count; ++i) {
    double high = std::numeric_limits<double>::max();
    for (size_t j = 0; j < count; ++j) {
      if (j != i) high = std::min(high, f1[i] - f1[j] + critical[i][j]);
    }
    gaps[i].may_be_best = high > 0 || f1[i] == highest;  // also where nothing is uncertain and two are equal
    gaps[i].high = std::max(0.0, high);
  }
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j) {
      if (j != i && gaps[j].may_be_best) gaps[i].low = std::min(gaps[i].low, f1[i] - f1[j] - critical[i][j]);
    }
  }
  return gaps;
}

std::optional<SeedNoise> seed_noise(const std::vector<ConfigScores>& configs,
                                    const std::vector<GapToBest>& gaps, const QuestionGroups& groups) {
  std::vector<ConfigScores> leading;
  for (size_t i = 0; i < configs.size(); ++i) {
    if (i < 2 || (i < gaps.size() && gaps[i].may_be_best)) leading.push_back(configs[i]);
  }
  if (leading.empty()) return std::nullopt;
  const auto common = common_seeds(leading);
  const bool are_paired = leading.size() > 1 && common.size() > 1;
  std::vector<SeedTable> tables;
  for (auto& config : leading) {
    if (are_paired)
      std::erase_if(config, [&](const SeedScore& score) { return !common.contains(score.seed); });
    tables.push_back(rows_of(config));
  }
  const SeedSquares squares = seed_squares(std::move(tables), groups, are_paired);
  if (squares.degrees <= 0) return std::nullopt;
  return SeedNoise{std::sqrt(2 * squares.seeds), squares.degrees};
}

double question_noise_sd(const std::vector<SeedScore>& runs, const QuestionGroups& groups) {
  if (runs.size() < 2) return 0;
  return std::sqrt(seed_squares({rows_of(runs)}, groups).interaction);
}

double selection_optimism(std::vector<double> scores, double noise_sd, int samples, uint64_t seed) {
  constexpr double kNoChance = 5;
  if (scores.size() < 2 || noise_sd <= 0) return 0;
  const double best = *std::max_element(scores.begin(), scores.end());
  std::erase_if(scores, [&](double score) { return score < best - kNoChance * noise_sd; });
  const auto count = static_cast<double>(scores.size());
  if (scores.size() < 2) return 0;
  double mean = 0, variance = 0;
  for (const double score : scores) mean += score / count;
  for (const double score : scores) variance += (score - mean) * (score - mean) / (count - 1);
  const double shrink = variance > 0 ? std::sqrt(std::max(0.0, 1 - noise_sd * noise_sd / variance)) : 0;
  CounterRandom random(seed);
  double sum = 0;
  for (int sample = 0; sample < samples; ++sample) {
    double highest = -std::numeric_limits<double>::max(), its_noise = 0;
    for (const double score : scores) {
      const double noise = noise_sd * random.normal();
      const double drawn = mean + shrink * (score - mean) + noise;
      if (drawn <= highest) continue;
      highest = drawn;
      its_noise = noise;
    }
    sum += its_noise;
  }
  return sum / samples;
}

}  // namespace expctl
