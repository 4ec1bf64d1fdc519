// Whether a training that was done again came out as the one on record.
#pragma once

#include <string>
#include <vector>

#include "registry/records.h"

namespace expctl {

/// One thing that was compared.
struct ReplayCheck {
  std::string what;  ///< "steps", or a file of the run
  bool is_same = false;
  std::string why;  ///< where it differs or cannot be compared
};

/// Epoch, loss and learning rate of every step, to the last bit.
ReplayCheck compare_steps(const std::vector<MetricRecord>& recorded,
                          const std::vector<MetricRecord>& replayed);

/// Weights, logits and answers by their hashes; files that hold times or places are passed over, as those
/// that are not on record (any more).
std::vector<ReplayCheck> compare_files(const std::vector<ArtifactRecord>& recorded,
                                       const std::vector<ArtifactRecord>& replayed);

}  // namespace expctl
