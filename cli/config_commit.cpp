#include "cli/config_commit.h"

#include <fmt/core.h>

#include <cstdio>
#include <memory>

#include "core/text.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The first line that git prints in a folder, "" where there is none.
std::string git_line(const fs::path& folder, const std::string& words) {
  const std::string command = fmt::format("git -C {} {} 2>/dev/null", shell_quote(folder.string()), words);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> git(::popen(command.c_str(), "re"), &::pclose);
  char line[128] = {};
  if (!git || std::fgets(line, sizeof line, git.get()) == nullptr) return "";
  return std::string(trim(line));
}

}  // namespace

std::string config_commit(const fs::path& file) {
  const fs::path folder = fs::absolute(file).parent_path();
  const std::string commit = git_line(folder, "rev-parse HEAD");
  if (commit.empty()) return "";
  const std::string change =
      git_line(folder, "status --porcelain --ignored -- " + shell_quote(file.filename().string()));
  return commit + (change.empty() ? "" : "-dirty");
}

}  // namespace expctl
