// Splits of a dataset's questions by article: questions of one article are too alike to choose on some and be
// scored on the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "squad/dataset.h"

namespace expctl {

/// All questions, in dataset order.
std::vector<size_t> all_questions(const Dataset& dataset);

struct ArticleSplit {
  std::vector<size_t> chosen_on;  ///< questions, in dataset order
  std::vector<size_t> held_out;
};

/// Holds out whole articles, drawn by the seed, until they have at least `share` (0 to 1) of the questions;
/// at least one article stays. Throws Error where only one has questions.
ArticleSplit hold_out(const Dataset& dataset, double share, uint64_t seed);

/// The fold of each question, 0 to folds - 1: articles, the largest first, each go to the fold with the
/// fewest questions. Throws Error where only one has questions; with fewer than `folds` each is
/// one.
std::vector<int> article_folds(const Dataset& dataset, int folds);

}  // namespace expctl
