// `expctl completion`, asked as each shell asks it.
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

bool has_program(const std::string& name) {
  return run_program({"sh", "-c", "command -v " + name}).exit_code == 0;
}

/// What a shell's script prints in a folder whose workspace has run1 and run2, and "best" for the first of
/// them.
std::string printed(const std::vector<std::string>& shell, const std::string& script) {
  const TempDir folder;
  write_sweep(folder, "\"true\", \"exit 0\"");
  sweep(folder, 0);
  const std::string expctl = (bin_dir() / "expctl").string();
  REQUIRE(run_program({expctl, "tag", "run1", "best"}, folder.path()).exit_code == 0);
  std::vector<std::string> argv = shell;
  argv.push_back("PATH=" + bin_dir().string() + ":$PATH\n" + script);
  const ProgramResult result = run_program(argv, folder.path());
  INFO(result.err);
  CHECK(result.exit_code == 0);
  return result.out;
}

}  // namespace

TEST_CASE("completion: bash offers verbs, options and runs", "[e2e]") {
  const std::string ask =
      "source <(expctl completion bash)\n"
      "ask() { COMP_WORDS=(expctl \"$@\"); COMP_CWORD=$#; _expctl; echo \"${COMPREPLY[*]}\"; }\n";
  CHECK(printed({"bash", "-c"}, ask + "ask runs sh; ask runs show ''; ask runs list --w; ask sweep ''; ask "
                                      "compare ''; ask stop sw") ==
        "show\n@ best run1 run2\n--where --workspace\n\n@ best run1 run2 sweep1\nsweep1\n");
}

TEST_CASE("completion: zsh is given the same", "[e2e]") {
  SKIP_UNLESS(has_program("zsh"), "no zsh");
  CHECK(printed({"zsh", "-f", "-c"},
                "compdef() { :; }\ncompadd() { print -r -- ${(P)2}; }\n_files() { print files; }\n"
                "source <(expctl completion zsh)\n"
                "words=(expctl runs show ''); CURRENT=4; _expctl\n"
                "words=(expctl sweep ''); CURRENT=3; _expctl\n") == "@ best run1 run2\nfiles\n");
}

TEST_CASE("completion: fish is given the same", "[e2e]") {
  SKIP_UNLESS(has_program("fish"), "no fish");
  const TempDir folder;
  write_sweep(folder, "\"true\", \"exit 0\"");
  sweep(folder, 0);
  const ProgramResult asked = run_program({"fish", "--no-config", "-c",
                                           "set -x PATH " + bin_dir().string() +
                                               " $PATH; expctl completion fish | source\n"
                                               "complete -C 'expctl runs show run'"},
                                          folder.path());
  INFO(asked.err);
  CHECK_THAT(asked.out, Catch::Contains("run1\nrun2\n"));
}

TEST_CASE("completion: a shell that it does not know is a wrong usage", "[e2e]") {
  const ProgramResult asked = run_program({(bin_dir() / "expctl").string(), "completion", "tcsh"});
  CHECK(asked.exit_code == 2);
  CHECK_THAT(asked.err, Catch::Contains("'tcsh'") && Catch::Contains("bash, zsh or fish"));
}
