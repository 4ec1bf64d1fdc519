// What each command prints, beside the texts in tests/data/golden (EXPCTL_UPDATE_GOLDEN=1 writes them anew,
// to be read before they are committed): in a file, in terminals of two widths, coloured and not.
#pragma once

#include <cstdlib>
#include <functional>
#include <regex>

#include "tests/support/command_output.h"
#include "tests/support/terminal.h"

namespace expctl::test {

/// A folder of its own in which commands are typed.
struct GoldenFolder {
  TempDir dir;
  std::vector<std::string> environment = {"TZ=UTC"};

  std::vector<std::string> argv(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {"/usr/bin/env", "-C", dir.path().string()};
    all.insert(all.end(), environment.begin(), environment.end());
    all.push_back((bin_dir() / "expctl").string());
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  ProgramResult run(const std::vector<std::string>& words) const { return run_program(argv(words)); }
};

struct Golden {
  std::string name;                ///< of the file
  std::vector<std::string> words;  ///< after "expctl"
  int exit_code = 0;
  std::string schema = "";                 ///< of --json; "": it prints none
  std::function<void()> before = nullptr;  ///< what makes the folder ready for the command, each time
};

/// What stays on the screen: what was drawn and then erased (a line to its end, or lines up and all below) is
/// left out.
inline std::string what_stays(const std::string& text) {
  static const std::regex erasing("\x1b\\[([0-9]+)A\x1b\\[J");
  std::string shown, rest = text;
  for (std::smatch match; std::regex_search(rest, match, erasing); rest = match.suffix()) {
    shown += match.prefix();
    size_t end = shown.rfind('\n');
    for (int line = std::stoi(match[1]); line > 0 && end != std::string::npos && end > 0; --line)
      end = shown.rfind('\n', end - 1);
    shown.resize(end == std::string::npos ? 0 : end + 1);
  }
  return std::regex_replace(shown + rest, std::regex("[^\n]*\x1b\\[K"), "");
}

/// What differs from one machine and moment to the next, by words of its own.
inline std::string fixed(std::string text, const GoldenFolder& folder) {
  const auto replace = [&](const std::string& what, const std::string& by) {
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
      text.replace(at, what.size(), by);
  };
  text = what_stays(text);
  replace(folder.dir.path().string(), "FOLDER");
  replace("\x1b", "\\e");
  text = std::regex_replace(text, std::regex("[0-9a-f]{64}"), "SHA256");
  return std::regex_replace(text, std::regex("\\([0-9]+ s\\)"), "(N s)");
}

/// The command's output in all ways of printing.
inline std::string printed(const GoldenFolder& folder, const Golden& golden) {
  const auto ready = [&] {
    if (golden.before) golden.before();
  };
  ready();
  const ProgramResult in_file = folder.run(golden.words);
  CHECK(in_file.exit_code == golden.exit_code);
  std::string text = "== stdout\n" + in_file.out + "== stderr\n" + in_file.err;
  for (const unsigned short columns : std::vector<unsigned short>{80, 140}) {
    for (const char* colour : {"NO_COLOR=1", "NO_COLOR="}) {
      ready();
      const std::string there = in_terminal(folder.argv(golden.words), columns, {colour, "TERM=xterm"});
      text += "== a terminal of " + std::to_string(columns) + " columns, " + colour + "\n" + there;
    }
  }
  return fixed(text, folder);
}

/// `more_fixed` takes out what else differs.
inline void check_golden(
    const GoldenFolder& folder, const std::vector<Golden>& cases,
    const std::function<std::string(std::string)>& more_fixed = [](std::string text) { return text; }) {
  const char* update = std::getenv("EXPCTL_UPDATE_GOLDEN");
  for (const auto& golden : cases) {
    INFO(golden.name);
    const auto file = source_dir() / "tests/data/golden" / (golden.name + ".txt");
    const std::string text = more_fixed(printed(folder, golden));
    if (update != nullptr && *update != '\0') write_file(file, text);
    CHECK(text == read_file(file));
  }
}

/// With --json each prints what its schema says.
inline void check_schemas(const GoldenFolder& folder, const std::vector<Golden>& cases) {
  for (const auto& golden : cases) {
    if (golden.schema.empty()) continue;
    INFO(golden.name);
    if (golden.before) golden.before();
    std::vector<std::string> words = {"--json"};
    words.insert(words.end(), golden.words.begin(), golden.words.end());
    const ProgramResult result = folder.run(words);
    INFO(result.err);
    CHECK(result.exit_code == golden.exit_code);
    check_output(golden.schema, result.out);
  }
}

}  // namespace expctl::test
