// A shell script's text as the command lines in it: enough of a POSIX shell to read what people keep of a
// training run. Nothing is started, and no file or environment is looked at.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace expctl {

/// One simple command: what stands between newlines, ';', '&', '|' and parentheses.
struct ShellCommand {
  int line = 1;                    ///< where its first word begins
  std::vector<std::string> words;  ///< without assignments before it and redirections
};

struct ShellScript {
  std::vector<ShellCommand> commands;
  std::map<std::string, std::string>
      variables;  ///< as they are at the end: assigned, exported or before a command
};

/// Comments, backslash continuations, quotes, "NAME=value", "NAME+=value" and "export NAME=value" are heeded;
/// $NAME, ${NAME} and ${NAME:-default} become their values, which are split into words where they stand
/// outside of quotes. A variable that the text does not set and a $(command) stay as they are written. Throws
/// Error "source:line: ..." for a quote or brace that is not closed, a NUL byte, and values that grow beyond
/// reason.
ShellScript read_shell(std::string_view text, const std::string& source);

}  // namespace expctl
