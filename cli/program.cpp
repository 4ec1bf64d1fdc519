#include "cli/program.h"

#include <cstdio>

#include "cli/terminal.h"
#include "core/text.h"

namespace expctl {

std::filesystem::path self_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

void tell(const std::string& line) {
  flush_stdout();
  std::fputs((line + "\n").c_str(), stderr);  // unlike fmt::print() it does not throw
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
  if (!program.quiet) tell(line);
}

}  // namespace expctl
