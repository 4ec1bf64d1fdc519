// Two sets of predictions of the same questions: how sure their difference in F1 is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "squad/scoring.h"

namespace expctl {

struct PairedDifference {
  double f1 = 0;   ///< percent points, second less first
  double low = 0;  ///< 95 % interval of it
  double high = 0;
  size_t won = 0;  ///< questions on which the second's F1 is higher
  size_t lost = 0;
  size_t alike = 0;
};

/// The interval is of these two runs, other questions asked, and says nothing of other seeds
/// (squad/config_difference.h does). It is the percentile bootstrap (Efron 1979), expanded for few groups
/// (Hesterberg 2015, The American Statistician 69), over groups of questions, which are too alike to count as
/// draws of their own: each sample draws as many groups as there are, with replacement, the same for both,
/// and takes the mean over their questions. `group_of` [questions] numbers them from 0, as
/// question_paragraphs() does; empty: each question is one. A pure function of its arguments. Throws Error
/// where the questions differ.
PairedDifference paired_difference(const Score& first, const Score& second,
                                   const std::vector<size_t>& group_of = {}, int samples = 2000,
                                   uint64_t seed = 0);

}  // namespace expctl
