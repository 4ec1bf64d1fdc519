// A table of seeds by groups of questions, and the mean squares that its variance is made of
// (squad/config_difference.h says why these).
#pragma once

#include <set>
#include <vector>

#include "squad/config_difference.h"

namespace expctl {

using SeedTable = std::vector<std::vector<double>>;  ///< [seeds][groups], points

std::set<int64_t> seeds_of(const ConfigScores& config);
/// Those that all configs have.
std::set<int64_t> common_seeds(const std::vector<ConfigScores>& configs);
/// In the order of seeds.
SeedTable rows_of(const ConfigScores& config);
/// [groups], over the rows.
std::vector<double> mean_row(const SeedTable& rows);
/// Points of a question.
double row_mean(const std::vector<double>& row, const QuestionGroups& groups);

/// The variance of the mean of a row as its groups are drawn: that of a ratio of sums, since groups have many
/// sizes (Cochran 1977, 6.4). 0 of a single group.
double question_variance(const std::vector<double>& row, const QuestionGroups& groups);
double question_degrees(const QuestionGroups& groups);

/// Of one training.
struct SeedSquares {
  double seeds = 0;        ///< of its F1, over seeds, the interaction with it
  double interaction = 0;  ///< what groups of questions and seeds have together in that
  double degrees = 0;      ///< of `seeds`; 0: all have one row, nothing is known
};
/// Pooled over configs, whose deviations are taken from the mean of each. Where `are_paired`, rows of one
/// number are of one seed, and what they have in common is taken off too (randomised blocks).
SeedSquares seed_squares(std::vector<SeedTable> configs, const QuestionGroups& groups,
                         bool are_paired = false);

}  // namespace expctl
