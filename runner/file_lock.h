// A lock between processes: an flock that ends with the last process that holds it.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "core/run_paths.h"

namespace expctl {

class FileLock {
 public:
  /// Whether other users may take it too.
  enum class For { kOwner, kEveryone };

  /// Makes the file where it is not there. Nothing where another process holds the lock, or another user's
  /// file cannot be opened. Throws Error where the file cannot be made.
  static std::optional<FileLock> try_take(const std::filesystem::path& path, For whom = For::kOwner);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

  int descriptor() const { return fd_; }

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

/// The lock of the workspace's one scheduler, for what must not be done beside it. Throws Error (kRegistry)
/// where a sweep is at work.
FileLock lock_idle_workspace(const WorkspacePaths& workspace);

}  // namespace expctl
