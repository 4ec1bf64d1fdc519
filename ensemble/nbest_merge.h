// One n-best out of several: members may be of other programs, vocabularies and lengths.
#pragma once

#include <string>
#include <vector>

#include "squad/answer_files.h"
#include "squad/dataset.h"
#include "squad/span_decode.h"

namespace expctl {

struct NBestMember {
  std::string id;
  double weight = 1;
  NBest nbest;
};

/// Of each question's texts the weighted mean of the members' probabilities, a text that a member does not
/// list counting 0 and a member of weight 0 not at all; the most probable `n_best` of them, of equals the one
/// listed first, by the members in their order. What they have of mass is shared out to 1; both logits are
/// half the probability's logarithm, so that a softmax over their sums gives the probabilities. One member
/// alone gives its own answers in their order. Throws Error naming the member and the question that it has no
/// answers to.
std::vector<QuestionPrediction> merge_nbest(const std::vector<NBestMember>& members, const Dataset& dataset,
                                            size_t n_best);

}  // namespace expctl
