// What the manual page says beside the verbs: environment, files, exit codes.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace expctl {

struct ManualSection {
  std::string title;
  std::vector<std::pair<std::string, std::string>> entries;  ///< name, meaning
};

std::vector<ManualSection> manual_sections();

/// "Exit codes: 0 done, 1 error, ..."
std::string exit_codes_text();

}  // namespace expctl
