// What tables look like in terminals of two widths, coloured and not, and in a file.
#include "tests/support/terminal.h"

#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Two runs with many parameters, of which one has failed.
void sweep_with_parameters(const TempDir& folder) {
  write_file(folder / "dev.json", kOneQuestion);
  write_file(
      folder / "s.toml",
      "name = \"lr\"\n[data]\ndev = \"dev.json\"\n[command]\nargv = [\"/bin/sh\", \"-c\", \"{mode}\"]\n"
      "predictions = \"predictions.json\"\n[sweep]\nseeds = [1]\n[sweep.space]\n"
      "mode = [\"echo '{\\\"q1\\\": \\\"blue\\\"}' > predictions.json\", \"exit 3\"]\n"
      "learning_rate = [3e-5]\nwarmup_ratio = [0.125]\nbatch_size = [32]\n"
      "[resources]\ngpus = 0\nretries = 0\n");
  sweep(folder, 4);
}

std::vector<std::string> list_argv(const TempDir& folder) {
  return {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), "runs", "list"};
}

}  // namespace

TEST_CASE("a list of runs fits its terminal, and is whole in a file", "[e2e]") {
  const TempDir folder;
  sweep_with_parameters(folder);
  const std::string whole =
      "id    state                    F1        EM  name  parameters\n"
      "run1  succeeded          100.0000  100.0000  lr    mode=echo '{\"q1\": \"blue\"}' > predictions.json "
      "learning_rate=3e-05 warmup_ratio=0.125 batch_size=32 seed=1\n"
      "run2  failed: exit_code         -         -  lr    mode=exit 3 learning_rate=3e-05 warmup_ratio=0.125 "
      "batch_size=32 seed=1\n";
  CHECK(run_program(list_argv(folder)).out == whole);
  CHECK(in_terminal(list_argv(folder), 400, {"TERM=dumb"}) == whole);
  CHECK(
      in_terminal(list_argv(folder), 140, {"NO_COLOR=1", "TERM=xterm"}) ==
      "id    state                    F1        EM  name  parameters\n"
      "run1  succeeded          100.0000  100.0000  lr    mode=echo '{\"q1\": \"blue\"}' > predictions.json "
      "learning_rate=3e-05 warmup_ratio=0.125\n"
      "                                                   batch_size=32 seed=1\n"
      "run2  failed: exit_code         -         -  lr    mode=exit 3 learning_rate=3e-05 warmup_ratio=0.125 "
      "batch_size=32 seed=1\n");
  CHECK(in_terminal(list_argv(folder), 80, {"NO_COLOR=1", "TERM=xterm"}) ==
        "id    state                    F1        EM  name  parameters\n"
        "run1  succeeded          100.0000  100.0000  lr    mode=echo '{\"q1\": \"blue\"}' >\n"
        "                                                   predictions.json\n"
        "                                                   learning_rate=3e-05\n"
        "                                                   warmup_ratio=0.125\n"
        "                                                   batch_size=32 seed=1\n"
        "run2  failed: exit_code         -         -  lr    mode=exit 3\n"
        "                                                   learning_rate=3e-05\n"
        "                                                   warmup_ratio=0.125\n"
        "                                                   batch_size=32 seed=1\n");
  const std::string coloured = in_terminal(list_argv(folder), 140, {"NO_COLOR=", "TERM=xterm"});
  CHECK_THAT(coloured, Catch::Contains("\x1b[1mid\x1b[0m") &&
                           Catch::Contains("\x1b[32msucceeded\x1b[0m          100.0000") &&
                           Catch::Contains("\x1b[31mfailed: exit_code\x1b[0m "));
  // The last column has no room beside the others: it stands below them.
  CHECK(in_terminal(list_argv(folder), 60, {"NO_COLOR=1", "TERM=xterm"}) ==
        "id    state                    F1        EM  name\n"
        "    parameters\n"
        "run1  succeeded          100.0000  100.0000  lr\n"
        "    mode=echo '{\"q1\": \"blue\"}' > predictions.json\n"
        "    learning_rate=3e-05 warmup_ratio=0.125 batch_size=32\n"
        "    seed=1\n"
        "run2  failed: exit_code         -         -  lr\n"
        "    mode=exit 3 learning_rate=3e-05 warmup_ratio=0.125\n"
        "    batch_size=32 seed=1\n");
}
