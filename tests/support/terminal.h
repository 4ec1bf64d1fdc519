// Programs that write to a terminal.
#pragma once

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace expctl::test {

/// What the program writes to a terminal so wide, stdout and stderr together, as it would be in a file
/// ("\n"). `environment` is added to the inherited one ("NAME=value").
inline std::string in_terminal(const std::vector<std::string>& argv, unsigned short columns,
                               const std::vector<std::string>& environment = {}) {
  winsize size{40, columns, 0, 0};
  int terminal = -1, other_end = -1;
  if (::openpty(&terminal, &other_end, nullptr, nullptr, &size) != 0) return "no terminal";
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(terminal);
    ::login_tty(other_end);
    for (const auto& setting : environment) ::putenv(const_cast<char*>(setting.c_str()));
    std::vector<char*> arguments;
    for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  // The other end stays open here: with its last holder, a busy machine loses what was written last.
  std::string text;
  constexpr int kPause_ms = 20;
  for (bool has_ended = false;;) {
    pollfd readable{terminal, POLLIN, 0};
    if (::poll(&readable, 1, kPause_ms) > 0) {
      char buffer[4096];
      const ssize_t got = ::read(terminal, buffer, sizeof buffer);
      for (ssize_t i = 0; i < got; ++i) {
        if (buffer[i] != '\r') text += buffer[i];
      }
    } else if (has_ended) {
      break;
    } else {
      has_ended = ::waitpid(child, nullptr, WNOHANG) == child;  // then what it wrote is read to its end
    }
  }
  ::close(other_end);
  ::close(terminal);
  return text;
}

}  // namespace expctl::test
