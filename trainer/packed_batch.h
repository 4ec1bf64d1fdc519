// Sequences one after the other: real tokens only.
#pragma once

#include <cstdint>
#include <vector>

#include "squad/features.h"

namespace expctl {

struct PackedBatch {
  std::vector<int64_t> input_ids;    ///< [T]
  std::vector<int64_t> token_types;  ///< [T]
  std::vector<int64_t> positions;    ///< [T], from 0 in each sequence
  std::vector<int64_t> lengths;      ///< [sequences]; their sum is T
  std::vector<int64_t> sequences;    ///< the feature's place in the step's batch: keys its dropout masks
};

/// The chosen features; the first of them is at the place `first_sequence` of the step's batch.
PackedBatch pack(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
                 int64_t first_sequence);

}  // namespace expctl
