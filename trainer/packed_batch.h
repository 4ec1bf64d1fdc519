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
  std::vector<int64_t> sequences;    ///< key their dropout masks (sequence_in_pass)
};

/// The chosen features, numbered from `first_sequence` on.
PackedBatch pack(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
                 int64_t first_sequence);

/// Adds them after what is there.
void pack_more(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
               int64_t first_sequence, PackedBatch& batch);

}  // namespace expctl
