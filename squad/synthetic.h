// A generator of SQuAD-format data with its own templates and names, so that the whole path from sweep to
// submission can be tried without anybody's data: short paragraphs of facts about invented people, ships,
// bridges and festivals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "squad/dataset.h"

namespace expctl {

struct SyntheticOptions {
  uint64_t seed = 1;
  int train_paragraphs = 1000;
  int dev_paragraphs = 80;
  double pair_share =
      0.06;  ///< part of the paragraphs that tell of two, so that the name in the question matters
};

struct SyntheticData {
  Dataset train;
  Dataset dev;  ///< no name and no fact (answer) of it occurs in `train`
};

/// A pure function of the options.
SyntheticData make_synthetic_data(const SyntheticOptions& options);

/// The dataset as a SQuAD 1.1 JSON text.
std::string dataset_text(const Dataset& dataset);

/// A vocabulary for the uncased tokenizer, learned from a dataset's texts by merging the most frequent pairs
/// (BPE, written as WordPiece): special pieces, every ASCII letter, digit and punctuation mark, every pair of
/// digits, then up to `size` pieces in all. Digits are merged no further, so that unseen numbers are read in
/// pairs.
std::vector<std::string> learn_vocabulary(const Dataset& dataset, int size);

}  // namespace expctl
