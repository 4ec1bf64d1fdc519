#include "core/run_paths.h"

#include <algorithm>
#include <system_error>

namespace expctl {

std::vector<Id> ids_in(const WorkspacePaths& workspace) {
  std::vector<Id> ids;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(workspace.root, unreadable)) {
    if (const auto id = parse_id(entry.path().filename().string())) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace expctl
