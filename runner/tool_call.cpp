#include "runner/tool_call.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "runner/launcher.h"

namespace expctl {
namespace {

int memory_file(const std::string& name) {
  const int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  if (fd < 0) throw Error("cannot make a file in memory");
  return fd;
}

std::string path_of(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

std::string content_of(int fd) {
  std::string text;
  char buffer[65536];
  ssize_t count = 0;
  for (off_t at = 0; (count = ::pread(fd, buffer, sizeof buffer, at)) > 0; at += count)
    text.append(buffer, static_cast<size_t>(count));
  return text;
}

}  // namespace

ToolCall::ToolCall(const std::vector<std::string>& argv, double timeout_s, int parent_death_signal)
    : until_(SystemClock().now_s() + timeout_s), out_(memory_file("out")), err_(memory_file("err")) {
  LaunchSpec spec;
  spec.argv = argv;
  spec.folder = "/";
  spec.log = path_of(out_);
  spec.errors = path_of(err_);
  spec.parent_death_signal = parent_death_signal;
  try {
    pid_ = launch(spec);
  } catch (...) {
    ::close(out_);
    ::close(err_);
    throw;
  }
}

ToolCall::~ToolCall() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
  if (err_ >= 0) ::close(err_);
}

ToolCall::ToolCall(ToolCall&& other) noexcept
    : until_(other.until_),
      pid_(std::exchange(other.pid_, 0)),
      timed_out_(other.timed_out_),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)) {}

ToolCall& ToolCall::operator=(ToolCall&& other) noexcept {
  std::swap(until_, other.until_);
  std::swap(pid_, other.pid_);
  std::swap(timed_out_, other.timed_out_);
  std::swap(out_, other.out_);
  std::swap(err_, other.err_);
  return *this;
}

std::optional<ToolResult> ToolCall::poll() {
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == 0) {
    if (SystemClock().now_s() >= until_ && !std::exchange(timed_out_, true)) ::kill(-pid_, SIGKILL);
    return std::nullopt;
  }
  pid_ = 0;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ToolResult{code, timed_out_, content_of(out_), content_of(err_)};
}

ToolResult ToolCall::wait() {
  while (true) {
    if (auto result = poll()) return std::move(*result);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace expctl
