#include "core/draft_folder.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/machine.h"
#include "core/text.h"

namespace expctl {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDraftMark = ".draft-";

/// Whether the process of that number of this host is another one than this, and at work.
bool is_other_process(std::optional<pid_t> pid) {
  if (!pid || *pid <= 0 || *pid == ::getpid()) return false;
  return ::kill(*pid, 0) == 0 || errno == EPERM;  // maybe another user's
}

bool is_older_than_a_day(const fs::path& path) {
  std::error_code gone;
  const auto written = fs::last_write_time(path, gone);
  return !gone && fs::file_time_type::clock::now() - written > std::chrono::hours(24);
}

/// Whether it has the name of a DraftFolder that nobody fills any more.
bool is_dead_draft(const fs::path& path) {
  const std::string name = path.filename().string();
  const size_t mark = name.rfind(kDraftMark);
  if (!name.starts_with('.') || mark == std::string::npos) return false;
  const std::string maker = name.substr(mark + kDraftMark.size());  // HOST-PID; of an older expctl PID
  const size_t dash = maker.rfind('-');
  const bool is_of_this_host = dash == std::string::npos || maker.substr(0, dash) == host_name();
  if (!is_of_this_host) return is_older_than_a_day(path);  // its processes cannot be seen from here
  return !is_other_process(parse_number<pid_t>(maker.substr(dash == std::string::npos ? 0 : dash + 1)));
}

}  // namespace

std::vector<fs::path> dead_drafts(const fs::path& folder) {
  std::vector<fs::path> drafts;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (is_dead_draft(entry.path())) drafts.push_back(entry.path());
  }
  std::sort(drafts.begin(), drafts.end());
  return drafts;
}

DraftFolder::DraftFolder(const fs::path& target) {
  const std::string prefix = fmt::format(".{}{}", target.filename().string(), kDraftMark);
  make_folder(target.parent_path());
  for (const auto& draft : dead_drafts(target.parent_path())) {
    if (draft.filename().string().starts_with(prefix)) fs::remove_all(draft);
  }
  path_ = target.parent_path() / fmt::format("{}{}-{}", prefix, host_name(), ::getpid());
  // Not make_folder(): what another has made is not to be filled by two.
  if (::mkdir(path_.c_str(), 0777) != 0)
    throw errno_error(fmt::format("cannot create the folder {}", path_.string()), errno);
}

DraftFolder::~DraftFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void DraftFolder::become(const fs::path& target) const {
  std::error_code error;
  fs::rename(path_, target, error);
  if (error) throw Error(fmt::format("cannot make {}: {}", target.string(), error.message()));
}

}  // namespace expctl
