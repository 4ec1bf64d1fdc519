// Whether evaluation data has leaked into training data.
#pragma once

#include <string>

#include "squad/dataset.h"

namespace expctl {

struct Overlap {
  size_t questions = 0;  ///< ids in both
  size_t contexts = 0;   ///< different contexts in both, spaces at their ends aside
  std::string
      example;  ///< an id that is in both, or the beginning of such a context; "" where nothing is shared

  bool any() const { return questions + contexts > 0; }
};

Overlap find_overlap(const Dataset& train, const Dataset& dev);

/// "TRAIN and DEV share 2 questions and 1 context (e.g. 'id')".
std::string overlap_text(const std::string& train, const std::string& dev, const Overlap& overlap);

}  // namespace expctl
