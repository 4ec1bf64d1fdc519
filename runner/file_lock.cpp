#include "runner/file_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"

namespace expctl {

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& path, For whom) {
  const bool for_everyone = whom == For::kEveryone;
  // O_CREAT is refused for another user's file in a folder like /tmp, so only who makes it asks for it.
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0 && for_everyone) ::fchmod(fd, 0666);  // whatever the umask
  }
  if (fd < 0 && errno == EACCES && for_everyone) return std::nullopt;
  if (fd < 0) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw errno_error(fmt::format("cannot lock {}", path.string()), errno);
  return std::nullopt;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

FileLock lock_idle_workspace(const WorkspacePaths& workspace) {
  if (auto lock = FileLock::try_take(workspace.lock())) return std::move(*lock);
  throw Error(fmt::format("{}: a sweep is at work in this workspace", workspace.root.string()),
              "try again when it has ended", ErrorCode::kRegistry);
}

}  // namespace expctl
