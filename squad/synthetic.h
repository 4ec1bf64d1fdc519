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

}  // namespace expctl
