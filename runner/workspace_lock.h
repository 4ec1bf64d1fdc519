// One scheduler a workspace: an flock that ends with the process that holds it.
#pragma once

#include <filesystem>
#include <optional>

namespace expctl {

class WorkspaceLock {
 public:
  /// Nothing where another process holds it. Throws Error where the file cannot be made.
  static std::optional<WorkspaceLock> try_take(const std::filesystem::path& path);

  WorkspaceLock(WorkspaceLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  WorkspaceLock& operator=(WorkspaceLock&&) = delete;
  ~WorkspaceLock();

 private:
  explicit WorkspaceLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace expctl
