// Programs that write to a terminal.
#pragma once

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace expctl::test {

/// What the program writes to a terminal so wide, stdout and stderr together, as it would be in a file
/// ("\n"). `environment` is added to the inherited one ("NAME=value").
inline std::string in_terminal(const std::vector<std::string>& argv, unsigned short columns,
                               const std::vector<std::string>& environment = {}) {
  const winsize size{40, columns, 0, 0};
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    for (const auto& setting : environment) ::putenv(const_cast<char*>(setting.c_str()));
    std::vector<char*> arguments;
    for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(terminal, buffer, sizeof buffer)) > 0;)  // EIO once the program has ended
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[i] != '\r') text += buffer[i];
    }
  ::close(terminal);
  ::waitpid(child, nullptr, 0);
  return text;
}

}  // namespace expctl::test
