#include "squad/config_difference.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/distributions.h"
#include "core/error.h"
#include "squad/seed_table.h"

namespace expctl {
namespace {

/// The runs of these seeds.
ConfigScores with_seeds(ConfigScores config, const std::set<int64_t>& seeds) {
  std::erase_if(config, [&](const SeedScore& score) { return !seeds.contains(score.seed); });
  return config;
}

/// A row for each seed, all of which both have, in the order of seeds: second less first.
SeedTable paired_rows(const ConfigScores& first, const ConfigScores& second) {
  std::map<int64_t, const SeedScore*> of_first;
  for (const auto& score : first) of_first[score.seed] = &score;
  SeedTable rows;
  for (const auto& score : second) {
    rows.push_back(score.points);
    const auto& other = of_first.at(score.seed)->points;
    for (size_t g = 0; g < other.size(); ++g) rows.back()[g] -= other[g];
  }
  return rows;
}

/// Of two independent parts, each a variance with its degrees of freedom.
double joint_degrees(double a, double a_degrees, double b, double b_degrees) {
  const double whole = a + b;
  return whole > 0 ? whole * whole / (a * a / a_degrees + b * b / b_degrees) : a_degrees + b_degrees;
}

VarianceParts parts_of_pairs(const SeedTable& rows, const QuestionGroups& groups) {
  const auto n = static_cast<double>(rows.size());
  const SeedSquares squares = seed_squares({rows}, groups);
  return {question_variance(mean_row(rows), groups),
          squares.seeds / n,
          squares.interaction / n,
          question_degrees(groups),
          squares.degrees,
          squares.degrees * question_degrees(groups)};
}

VarianceParts parts_of_two(const SeedTable& first, const SeedTable& second, const QuestionGroups& groups) {
  const auto n = static_cast<double>(first.size()), m = static_cast<double>(second.size());
  const SeedSquares a = seed_squares({first}, groups), b = seed_squares({second}, groups);
  std::vector<double> difference = mean_row(second);
  const auto mean = mean_row(first);
  for (size_t g = 0; g < mean.size(); ++g) difference[g] -= mean[g];
  const double interaction_degrees =
      joint_degrees(a.interaction / n, a.degrees, b.interaction / m, b.degrees) * question_degrees(groups);
  return {question_variance(difference, groups),
          a.seeds / n + b.seeds / m,
          a.interaction / n + b.interaction / m,
          question_degrees(groups),
          joint_degrees(a.seeds / n, a.degrees, b.seeds / m, b.degrees),
          interaction_degrees};
}

}  // namespace

QuestionGroups question_groups(const std::vector<size_t>& group_of) {
  std::map<size_t, size_t> numbers;
  for (const size_t group : group_of) numbers.emplace(group, 0);
  size_t next = 0;
  for (auto& [group, number] : numbers) number = next++;
  QuestionGroups groups;
  groups.sizes.resize(numbers.size(), 0);
  groups.questions = static_cast<double>(group_of.size());
  for (const size_t group : group_of) {
    groups.group_of.push_back(numbers.at(group));
    groups.sizes[groups.group_of.back()] += 1;
  }
  return groups;
}

std::vector<size_t> question_articles(const Dataset& dataset) {
  std::vector<size_t> articles;
  for (size_t i = 0; i < dataset.articles.size(); ++i) {
    for (const auto& paragraph : dataset.articles[i].paragraphs)
      articles.insert(articles.end(), paragraph.questions.size(), i);
  }
  return articles;
}

QuestionGroups one_group() {
  return {{0}, {1}, 1};
}

SeedScore seed_score(const Score& score, int64_t seed, const QuestionGroups& groups) {
  if (score.questions.size() != groups.group_of.size())
    throw Error(fmt::format("a score of {} questions where there are {}", score.questions.size(),
                            groups.group_of.size()));
  SeedScore sums{seed, std::vector<double>(groups.sizes.size(), 0)};
  for (size_t i = 0; i < score.questions.size(); ++i)
    sums.points[groups.group_of[i]] += 100 * score.questions[i].f1;
  return sums;
}

double f1_of(const SeedScore& score, const QuestionGroups& groups) {
  return row_mean(score.points, groups);
}

double mean_f1(const ConfigScores& config, const QuestionGroups& groups) {
  return row_mean(mean_row(rows_of(config)), groups);
}

bool have_same_seeds(const ConfigScores& first, const ConfigScores& second) {
  return first.size() > 1 && seeds_of(first) == seeds_of(second);
}

double VarianceParts::total() const {
  return questions + std::max(0.0, seeds - interaction);
}

double VarianceParts::degrees() const {
  if (seeds <= interaction) return questions_degrees;
  return total() * total() /
         (questions * questions / questions_degrees + seeds * seeds / seeds_degrees +
          interaction * interaction / interaction_degrees);
}

ConfigDifference config_difference(const ConfigScores& all_of_first, const ConfigScores& all_of_second,
                                   const QuestionGroups& groups) {
  if (all_of_first.empty() || all_of_second.empty())
    throw Error("a config without scores cannot be compared");
  ConfigDifference difference;
  const auto common = common_seeds({all_of_first, all_of_second});
  difference.is_paired =
      common.size() > 1 && 2 * common.size() >= std::min(all_of_first.size(), all_of_second.size());
  if (difference.is_paired) difference.pairs = common.size();
  difference.has_others =
      difference.is_paired && all_of_first.size() + all_of_second.size() > 2 * common.size();
  const ConfigScores first = difference.is_paired ? with_seeds(all_of_first, common) : all_of_first;
  const ConfigScores second = difference.is_paired ? with_seeds(all_of_second, common) : all_of_second;
  difference.f1 = mean_f1(second, groups) - mean_f1(first, groups);
  if (first.size() < 2 || second.size() < 2) return difference;
  const VarianceParts parts = difference.is_paired ? parts_of_pairs(paired_rows(first, second), groups)
                                                   : parts_of_two(rows_of(first), rows_of(second), groups);
  ConfigDifference::Interval interval;
  interval.standard_error = std::sqrt(parts.total());
  interval.degrees = parts.degrees();
  const double half =
      interval.standard_error > 0 ? student_t_quantile(0.975, interval.degrees) * interval.standard_error : 0;
  interval.low = difference.f1 - half;
  interval.high = difference.f1 + half;
  if (difference.is_paired) {
    interval.seed_sd = std::sqrt(parts.seeds * static_cast<double>(first.size()));
    interval.seed_degrees = parts.seeds_degrees;
  } else {
    const SeedSquares a = seed_squares({rows_of(first)}, groups), b = seed_squares({rows_of(second)}, groups);
    interval.seed_sd = std::sqrt(a.seeds + b.seeds);
    interval.seed_degrees = joint_degrees(a.seeds, a.degrees, b.seeds, b.degrees);
  }
  interval.question_error = std::sqrt(std::max(0.0, parts.questions - parts.interaction));
  difference.interval = interval;
  return difference;
}

}  // namespace expctl
