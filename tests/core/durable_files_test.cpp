// In which order write_file() makes its content durable: this program's fsync() and rename() stand in for the
// C library's.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

namespace {

struct Trace {
  std::vector<std::string> calls;
  bool fsync_fails = false;
};
Trace* trace = nullptr;

std::string name_of_descriptor(int fd) {
  const auto path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd));
  struct stat info {};
  ::fstat(fd, &info);
  return S_ISDIR(info.st_mode) ? "folder"
                               : fmt::format("{} of {} bytes", path.extension().string(), info.st_size);
}

std::string short_name(const char* path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

extern "C" int fsync(int fd) {
  if (trace != nullptr) {
    trace->calls.push_back("sync " + name_of_descriptor(fd));
    if (trace->fsync_fails) {
      errno = EIO;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

extern "C" int rename(const char* from, const char* to) noexcept {
  if (trace != nullptr) trace->calls.push_back("rename to " + short_name(to));
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("write_file: the content is on the disk before it has its name, and the name before it returns",
          "[core]") {
  const TempDir dir;
  Trace calls;
  trace = &calls;
  write_file(dir / "run.json", "content");
  trace = nullptr;
  CHECK(calls.calls == std::vector<std::string>{"sync .tmp of 7 bytes", "rename to run.json", "sync folder"});
}

TEST_CASE("write_file: what cannot be synced changes nothing", "[core]") {
  const TempDir dir;
  write_file(dir / "run.json", "old");
  Trace calls;
  calls.fsync_fails = true;
  trace = &calls;
  CHECK_THROWS_WITH(write_file(dir / "run.json", "new"), Catch::Contains("cannot sync"));
  trace = nullptr;
  CHECK(calls.calls.size() == 1);
  CHECK(read_file(dir / "run.json") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("place_new_file: a draft gets its name where that is free", "[core]") {
  const TempDir dir;
  const auto target = dir / "registry.db";
  write_file(draft_name(target), "new");
  CHECK(place_new_file(draft_name(target), target));
  write_file(draft_name(target), "newer");
  CHECK_FALSE(place_new_file(draft_name(target), target));
  CHECK(read_file(target) == "new");
  CHECK(std::filesystem::exists(draft_name(target)));
  CHECK_THROWS_AS(place_new_file(dir / "none", dir / "other"), Error);
}
