// The best of many configs or runs, chosen by the scores that it is then shown with: which others may be the
// best, and how much better than it is the chosen one looks.
#pragma once

#include <optional>
#include <vector>

#include "squad/config_difference.h"

namespace expctl {

/// F1 of a config less that of the best of the others, percent points.
struct GapToBest {
  double low = 0;   ///< at most 0
  double high = 0;  ///< at least 0
  bool may_be_best = true;
};

/// Intervals that hold for all configs at once, with 95 %: multiple comparisons with the best (Hsu 1984,
/// Annals of Statistics 12; with unequal errors Edwards and Hsu 1983, JASA 78), whose critical value is
/// Bonferroni's. Since the best is not known beforehand, differences to the one that looks best would be too
/// large, and so would be found too often.
///
/// How much seeds matter is estimated once, from all configs together, and is taken to be alike; the
/// questions' part is each pair's own. Where all were trained with the same seeds, what a seed does to all is
/// taken off. Empty where no config has two seeds, or there are fewer than two configs. Pure.
std::vector<GapToBest> gaps_to_best(const std::vector<ConfigScores>& configs, const QuestionGroups& groups);

/// How far the F1 of two trainings, one of each of two configs, differ by their seeds alone: a standard
/// deviation, percent points, on these questions.
struct SeedNoise {
  double sd = 0;
  double degrees = 1;  ///< of freedom, with which it is known
};
/// Estimated together from those that may be the best by `gaps`, and the first two: others may vary more, as
/// trainings that fail. Where they have two seeds or more in common, by these, and what a seed does to all is
/// taken off. Nothing where no config has two seeds. Pure.
std::optional<SeedNoise> seed_noise(const std::vector<ConfigScores>& configs,
                                    const std::vector<GapToBest>& gaps, const QuestionGroups& groups);

/// How far the F1 of a run stands from what it would be on all the questions there could be, less what is
/// common to all runs (some dev sets are easier): the standard deviation, percent points, from the groups of
/// two runs or more. The configs' own strengths and the seeds' are in it as far as they differ from group to
/// group.
double question_noise_sd(const std::vector<SeedScore>& runs, const QuestionGroups& groups);

/// The expected excess of the best of `scores` over its true value, where each is a true value plus normal
/// noise of that deviation: how much better than it is the best looks for having been chosen by this score. A
/// bootstrap (Efron 1979) around scores that are drawn together so far that with the noise they spread as
/// they were seen to; those more than five deviations below the best, which have no chance, take no part in
/// that. 0 of one score. Pure.
double selection_optimism(std::vector<double> scores, double noise_sd, int samples = 2000, uint64_t seed = 0);

}  // namespace expctl
