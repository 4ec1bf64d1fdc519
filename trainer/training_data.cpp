#include "trainer/training_data.h"

#include <fmt/core.h>

#include "core/error.h"

namespace expctl {

void check_teacher_fits(const LogitsFile& teacher, const std::vector<Feature>& features,
                        const std::string& source, const std::string& hint) {
  bool fits = teacher.identity.features_sha256 == features_sha256(features) &&
              teacher.offsets.size() == features.size() + 1;
  for (size_t i = 0; fits && i < features.size(); ++i)
    fits = teacher.offsets[i + 1] - teacher.offsets[i] == static_cast<int64_t>(features[i].input_ids.size());
  if (fits) return;
  throw Error(fmt::format("{}: its features are not those of the training (another vocabulary, or questions "
                          "cut in another way)",
                          source),
              hint);
}

}  // namespace expctl
