// Two configs, each trained with several seeds: how sure the difference of their expected F1 is.
//
// A training's F1 varies with its seed and with the questions that happen to be asked. Both are sampled:
// scores form a table of seeds by groups of questions, whose effects cross. The variance of the difference of
// means is then (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1, section 3, where it
// is shown that no bootstrap of such a table is unbiased, and that of the naive one the interaction counts
// three times)
//
//     seeds / n + questions / G + interaction / (n G)
//
// Each of the mean squares of rows and of columns holds the interaction too, so it is taken off once. The
// quantile is Student's with Satterthwaite's (1946) degrees of freedom: with few seeds the estimate is itself
// unsure, which is where percentile intervals fall short. bench/intervals.cpp measures how often the interval
// holds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "squad/scoring.h"

namespace expctl {

/// Questions that are drawn together, as those of one paragraph.
struct QuestionGroups {
  std::vector<size_t> group_of;  ///< [questions], from 0
  std::vector<double> sizes;     ///< [groups], questions; none is 0
  double questions = 0;
};
/// Of question_paragraphs() or question_articles(); numbers that no question has are left out.
QuestionGroups question_groups(const std::vector<size_t>& group_of);
/// Of each question the number of its article.
std::vector<size_t> question_articles(const Dataset& dataset);
/// Where only the F1 of whole runs is known: one group, of one question. All that is said then is of these
/// questions.
QuestionGroups one_group();

/// What one training has.
struct SeedScore {
  int64_t seed = 0;
  std::vector<double> points;  ///< [groups] F1, 0 to 100, summed over the group's questions
};
using ConfigScores = std::vector<SeedScore>;  ///< every seed at most once

/// Throws Error where the score is of another number of questions.
SeedScore seed_score(const Score& score, int64_t seed, const QuestionGroups& groups);
/// Percent points.
double f1_of(const SeedScore& score, const QuestionGroups& groups);
double mean_f1(const ConfigScores& config, const QuestionGroups& groups);
/// Whether both were trained with the same seeds, two or more.
bool have_same_seeds(const ConfigScores& first, const ConfigScores& second);

/// Squares of percent points, of a difference of two means.
struct VarianceParts {
  double questions = 0;    ///< of groups of questions, with the interaction
  double seeds = 0;        ///< of seeds, with the interaction
  double interaction = 0;  ///< in each of them
  double questions_degrees = 1, seeds_degrees = 1, interaction_degrees = 1;

  double total() const;    ///< no part is less than 0
  double degrees() const;  ///< Satterthwaite's
};

struct ConfigDifference {
  double f1 = 0;  ///< percent points, second less first, of the seeds that are compared
  /// Compared seed by seed, of the seeds that both have: where these are two or more, and at least half of
  /// those of the config that has fewer. Else more is known by all seeds of both, as two samples.
  bool is_paired = false;
  size_t pairs = 0;         ///< seeds that it is of, where it is paired
  bool has_others = false;  ///< seeds of one alone, which it is not of
  /// Nothing where one of them has a single seed: how much seeds matter is not known then.
  struct Interval {
    double low = 0, high = 0;  ///< 95 %
    double standard_error = 0, degrees = 0;
    double seed_sd = 0;         ///< of the difference of one training of each, on these questions
    double question_error = 0;  ///< the standard error that is left however many seeds there are
    double seed_degrees = 1;    ///< of freedom, with which `seed_sd` is known
  };
  std::optional<Interval> interval;
};

/// A pure function. Neither config may be empty.
ConfigDifference config_difference(const ConfigScores& all_of_first, const ConfigScores& all_of_second,
                                   const QuestionGroups& groups);

}  // namespace expctl
