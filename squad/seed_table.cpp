#include "squad/seed_table.h"

#include <algorithm>
#include <numeric>

namespace expctl {
namespace {

void subtract(std::vector<double>& row, const std::vector<double>& other) {
  for (size_t g = 0; g < row.size(); ++g) row[g] -= other[g];
}

/// Sum over the groups of the squares of what they add to the mean of all questions beyond its share.
double squares_about_mean(const std::vector<double>& row, const QuestionGroups& groups) {
  const double mean = row_mean(row, groups);
  double sum = 0;
  for (size_t g = 0; g < row.size(); ++g) {
    const double beyond = (row[g] - groups.sizes[g] * mean) / groups.questions;
    sum += beyond * beyond;
  }
  return sum;
}

/// G / (G - 1); 0 of a single group, which says nothing of others.
double few_groups_factor(const QuestionGroups& groups) {
  const auto count = static_cast<double>(groups.sizes.size());
  return count > 1 ? count / (count - 1) : 0;
}

}  // namespace

std::set<int64_t> seeds_of(const ConfigScores& config) {
  std::set<int64_t> seeds;
  for (const auto& score : config) seeds.insert(score.seed);
  return seeds;
}

std::set<int64_t> common_seeds(const std::vector<ConfigScores>& configs) {
  if (configs.empty()) return {};
  std::set<int64_t> common = seeds_of(configs.front());
  for (const auto& config : configs) {
    const auto seeds = seeds_of(config);
    std::erase_if(common, [&](int64_t seed) { return !seeds.contains(seed); });
  }
  return common;
}

SeedTable rows_of(const ConfigScores& config) {
  std::vector<const SeedScore*> in_order;
  for (const auto& score : config) in_order.push_back(&score);
  std::stable_sort(in_order.begin(), in_order.end(),
                   [](const SeedScore* a, const SeedScore* b) { return a->seed < b->seed; });
  SeedTable rows;
  for (const auto* score : in_order) rows.push_back(score->points);
  return rows;
}

std::vector<double> mean_row(const SeedTable& rows) {
  std::vector<double> mean(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (size_t g = 0; g < row.size(); ++g) mean[g] += row[g] / static_cast<double>(rows.size());
  }
  return mean;
}

double row_mean(const std::vector<double>& row, const QuestionGroups& groups) {
  return std::accumulate(row.begin(), row.end(), 0.0) / groups.questions;
}

double question_variance(const std::vector<double>& row, const QuestionGroups& groups) {
  return few_groups_factor(groups) * squares_about_mean(row, groups);
}

double question_degrees(const QuestionGroups& groups) {
  return std::max(1.0, static_cast<double>(groups.sizes.size()) - 1);
}

SeedSquares seed_squares(std::vector<SeedTable> configs, const QuestionGroups& groups, bool are_paired) {
  SeedSquares squares;
  for (auto& rows : configs) {
    const auto mean = mean_row(rows);
    for (auto& row : rows) subtract(row, mean);
    squares.degrees += static_cast<double>(rows.size()) - 1;
  }
  if (are_paired) {
    const auto count = static_cast<double>(configs.front().size());
    for (size_t s = 0; s < configs.front().size(); ++s) {
      SeedTable of_seed;
      for (const auto& rows : configs) of_seed.push_back(rows[s]);
      const auto mean = mean_row(of_seed);
      for (auto& rows : configs) subtract(rows[s], mean);
    }
    squares.degrees -= count - 1;
  }
  if (squares.degrees <= 0) return {};
  for (const auto& rows : configs) {
    for (const auto& row : rows) {
      const double mean = row_mean(row, groups);
      squares.seeds += mean * mean / squares.degrees;
      squares.interaction += few_groups_factor(groups) * squares_about_mean(row, groups) / squares.degrees;
    }
  }
  return squares;
}

}  // namespace expctl
