// A lock between processes: an flock that ends with the process that holds it.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

namespace expctl {

class FileLock {
 public:
  /// Makes the file where it is not there. Nothing where another process holds the lock. Throws Error where
  /// the file cannot be made.
  static std::optional<FileLock> try_take(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace expctl
