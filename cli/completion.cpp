// completion: what a shell has to be told once. It then asks `expctl complete`, with the words of the line in
// the environment, one a line.
#include <fmt/core.h>

#include <cstdlib>

#include "cli/complete.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "registry/registry.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr const char* kWords = "EXPCTL_COMPLETE";

struct Shell {
  const char* name;
  const char* script;
};

constexpr Shell kShells[] = {
    {"bash", R"(_expctl() {
  local IFS=$'\n'
  COMPREPLY=($(EXPCTL_COMPLETE="${COMP_WORDS[*]:1:COMP_CWORD}" expctl complete 2>/dev/null))
  [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default 2>/dev/null
}
complete -F _expctl expctl
)"},
    {"zsh", R"(#compdef expctl
_expctl() {
  local -a found
  found=("${(@f)$(EXPCTL_COMPLETE="${(F)words[2,CURRENT]}" expctl complete 2>/dev/null)}")
  found=("${(@)found:#}")
  if (( $#found )); then compadd -a found; else _files; fi
}
compdef _expctl expctl
)"},
    {"fish", R"(function __expctl_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -lx EXPCTL_COMPLETE (string join \n -- $words (commandline -ct) | string collect --no-trim-newlines)
    expctl complete 2>/dev/null
end
complete -c expctl -a '(__expctl_complete)'
)"},
};

/// Ids, tags and "@"; of sweeps too where they can be named. A workspace that is not there yet, or whose
/// registry cannot be read now, has none.
std::vector<std::string> run_names(const WorkspacePaths& workspace, bool with_sweeps) {
  std::vector<std::string> names;
  if (!fs::exists(workspace.registry())) return names;
  try {
    const Registry registry = Registry::open_to_look(workspace.registry());
    registry.for_each_run({}, [&](RunRecord&& run) {
      names.push_back(std::move(run.id));
      for (auto& tag : run.tags) names.push_back(std::move(tag));
    });
    if (with_sweeps) {
      for (const auto& sweep : registry.list_sweeps()) names.push_back(sweep.id);
    }
  } catch (const Error&) {
    return {};
  }
  if (!names.empty()) names.push_back("@");
  return names;
}

int complete(const CLI::App& app, const Program& program) {
  const char* text = std::getenv(kWords);
  const auto words = split(text == nullptr ? "" : text, '\n');
  const auto names = [&](bool with_sweeps) { return run_names(program.workspace(), with_sweeps); };
  for (const auto& word : completions(app, words, names)) fmt::print("{}\n", word);
  return 0;
}

int completion(const std::string& name) {
  for (const Shell& shell : kShells) {
    if (name != shell.name) continue;
    fmt::print("{}", shell.script);
    return 0;
  }
  throw Error(fmt::format("there is no completion for '{}'", name), "bash, zsh or fish", ErrorCode::kUsage);
}

}  // namespace

void add_completion(CLI::App& app, Program& program) {
  auto* verb =
      app.add_subcommand("completion", "Print what makes a shell complete expctl's commands and run ids");
  auto shell = std::make_shared<std::string>();
  verb->add_option("SHELL", *shell, "bash, zsh or fish")->required();
  on_call(verb, program, [shell] { return completion(*shell); });
  verb->footer(
      "Examples: source <(expctl completion bash)                 # in ~/.bashrc\n"
      "          source <(expctl completion zsh)                  # in ~/.zshrc, after compinit\n"
      "          expctl completion fish > ~/.config/fish/completions/expctl.fish");

  auto* asked = app.add_subcommand("complete", "What could come next (asked by a shell)");
  asked->group("");  // hidden
  on_call(asked, program, [&app, &program] { return complete(app, program); });
}

}  // namespace expctl
