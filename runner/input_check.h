// Whether the files that a run was queued with are still what they were.
#pragma once

#include <map>
#include <string>

#include "core/run_spec.h"

namespace expctl {

/// Hashes a file again only where its size or time has changed since the last check: a GPU waits meanwhile.
class InputCheck {
 public:
  /// Throws Error naming the first input whose content is another than the spec's hash says.
  void check(const RunSpec& spec);

 private:
  void check(const Input& input);

  std::map<std::string, std::string> stamps_;  ///< of paths whose hash was right, with that hash
};

}  // namespace expctl
