// What one check of a submission has found.
#pragma once

#include <string>
#include <vector>

namespace expctl {

struct Findings {
  std::vector<std::string> problems;  ///< any of them fails the check
  std::vector<std::string> unproven;  ///< what cannot be told from the files that are there
  std::string passed;                 ///< what to say where there is neither; "": what the check always says
};

}  // namespace expctl
