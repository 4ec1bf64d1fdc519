// Vocabularies for data that no published one is for.
#pragma once

#include <string>
#include <vector>

#include "squad/dataset.h"

namespace expctl {

/// A vocabulary for the uncased tokenizer, learned from a dataset's texts by merging the most frequent pairs
/// (BPE, written as WordPiece): special pieces, every ASCII letter, digit and punctuation mark, every pair of
/// digits, then up to `size` pieces in all. Digits are merged no further, so that unseen numbers are read in
/// pairs.
std::vector<std::string> learn_vocabulary(const Dataset& dataset, int size);

}  // namespace expctl
