#include "cli/program.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/text.h"

namespace expctl {

std::filesystem::path self_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

namespace {

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
  winsize size{};
  const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return {is_known ? size.ws_col : size_t{0}, terminal_takes_colour()};
}

std::string command_text(const std::vector<std::string>& words) {
  std::string text = "expctl";
  for (const auto& word : words) text += " " + shell_quote(word);
  return text;
}

std::string workspace_option(const Program& program) {
  const auto usual = std::filesystem::absolute("runs").lexically_normal();
  return program.workspace_dir == usual ? "" : " --workspace " + shell_quote(program.workspace_dir.string());
}

void say(const Program& program, const std::string& line) {
  if (!program.quiet) std::fputs((line + "\n").c_str(), stderr);  // unlike fmt::print() it does not throw
}

}  // namespace expctl
