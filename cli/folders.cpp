#include "cli/folders.h"

#include <fmt/core.h>

#include "core/error.h"

namespace expctl {
namespace fs = std::filesystem;

fs::path folder_path(const std::string& text) {
  const fs::path path = fs::absolute(text).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

void check_new_folder(const fs::path& folder, const std::string& hint) {
  if (!fs::exists(folder)) return;
  const bool is_folder = fs::is_directory(folder);
  if (!is_folder || !fs::is_empty(folder))
    throw Error(fmt::format("{} is {}", folder.string(), is_folder ? "not empty" : "a file"), hint);
}

}  // namespace expctl
