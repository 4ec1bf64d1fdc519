// One set of span logits out of several: the weighted mean, token by token.
#pragma once

#include <string>
#include <vector>

#include "formats/logits_file.h"

namespace expctl {

struct EnsembleMember {
  std::string id;
  double weight = 1;
  LogitsFile logits;
};

/// Start and end logits averaged with the weights (which need not sum to 1), in double precision. Throws
/// Error where there are fewer than two members, a weight is not positive and finite, or two members are not
/// over the same features (naming both and what differs).
LogitsFile mean_logits(const std::vector<EnsembleMember>& members);

}  // namespace expctl
