// What a training is computed on.
#pragma once

#include <vector>

#include "formats/logits_file.h"
#include "squad/features.h"

namespace expctl {

/// Both live as long as whoever keeps this.
struct TrainingData {
  const std::vector<Feature>& features;
  const LogitsFile* teacher = nullptr;  ///< of these features (check_teacher_fits); null: there is none
};

/// Throws Error where the logits are of other features.
void check_teacher_fits(const LogitsFile& teacher, const std::vector<Feature>& features,
                        const std::string& source, const std::string& hint);

}  // namespace expctl
