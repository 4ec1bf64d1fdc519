#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace expctl {
namespace {

/// 0 where it is no terminal, or does not say.
size_t stdout_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : size_t{0};
}

bool terminal_takes_colour() {
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

bool stderr_is_interactive() {
  return ::isatty(STDERR_FILENO) == 1 && terminal_takes_colour();
}

TableStyle stdout_style() {
  if (::isatty(STDOUT_FILENO) != 1) return {};
  return {stdout_columns(), terminal_takes_colour()};
}

size_t help_width() {
  constexpr size_t kUsual = 80, kLeast = 50;
  const size_t columns = stdout_columns();
  return columns == 0 ? kUsual : std::max(columns, kLeast);
}

int flush_stdout() {
  static int first_error =
      0;  // what could not be written is gone, so a later call has nothing to complain of
  errno = 0;
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && first_error == 0)
    first_error = errno == 0 ? EIO : errno;
  return first_error;
}

}  // namespace expctl
