#include "trainer/packed_batch.h"

namespace expctl {

PackedBatch pack(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
                 int64_t first_sequence) {
  PackedBatch batch;
  pack_more(features, chosen, first_sequence, batch);
  return batch;
}

void pack_more(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
               int64_t first_sequence, PackedBatch& batch) {
  for (const int64_t index : chosen) {
    const auto& feature = features[static_cast<size_t>(index)];
    const auto length = static_cast<int64_t>(feature.input_ids.size());
    for (int64_t p = 0; p < length; ++p) {
      batch.input_ids.push_back(feature.input_ids[static_cast<size_t>(p)]);
      batch.token_types.push_back(p >= feature.context_begin ? 1 : 0);
      batch.positions.push_back(p);
    }
    batch.lengths.push_back(length);
    batch.sequences.push_back(first_sequence++);
  }
}

}  // namespace expctl
