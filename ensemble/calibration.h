// Logits of members on one scale: a member whose logits are larger has more say in a mean, and in a softmax
// is surer of itself, without being better.
#pragma once

#include <vector>

#include "ensemble/answers.h"
#include "formats/logits_file.h"

namespace expctl {

/// The standard deviation of all start and end logits together.
double logit_deviation(const LogitsFile& logits);

/// 1 / T of the temperature T under which the gold answers are likeliest (Guo et al., "On Calibration of
/// Modern Neural Networks", ICML 2017): start and end logits are a softmax each over all tokens of a
/// question, and the gold tokens are those that the windows which hold the question's first answer label. Of
/// `questions`; those whose answer no window holds are left out. T is searched between 1/8 and
/// 8, to 1 in 1000. Throws Error where no question is left.
double fitted_scale(const LogitsFile& logits, const AnswerSpace& space, const std::vector<size_t>& questions);

}  // namespace expctl
