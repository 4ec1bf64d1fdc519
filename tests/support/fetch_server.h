// A server on this machine that serves a folder as badly as asked (tests/support/fetch_server.py).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/support.h"

namespace expctl::test {

class FetchServer {
 public:
  /// Waits until it answers.
  FetchServer();
  ~FetchServer();
  FetchServer(const FetchServer&) = delete;
  FetchServer& operator=(const FetchServer&) = delete;

  /// The folder that it serves.
  const std::filesystem::path& folder() const { return folder_.path(); }
  /// "http://127.0.0.1:PORT/MANNER": how it serves is the address's first part.
  std::string address(const std::string& manner) const;
  /// A line for each request until now: "GET PATH RANGE".
  std::vector<std::string> requests() const;

 private:
  TempDir folder_;
  pid_t pid_ = 0;
};

/// Text that repeats nowhere, the same in every run.
std::string varied_text(size_t bytes);

/// Runs a script of Python with these arguments; it must succeed.
void run_python(const std::string& script, const std::vector<std::string>& arguments);

/// A file system in memory of this size, mounted while this lives.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }  ///< only root can
  const std::filesystem::path& path() const { return folder_.path(); }
  void grow_to(const std::string& size) const;

 private:
  TempDir folder_;
  bool mounted_ = false;
};

}  // namespace expctl::test
