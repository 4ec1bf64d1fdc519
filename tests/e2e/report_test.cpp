// `expctl report` of a small workspace, in its three forms.
#include "tests/e2e/command_sweep.h"
#include "tests/support/command_output.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

TEST_CASE("report: HTML, Markdown and CSV of what a workspace has", "[e2e]") {
  const TempDir folder;
  write_sweep(
      folder,
      R"("echo '{\"q1\": \"blue\"}' > predictions.json", "echo '{\"q1\": \"sky blue\"}' > predictions.json", "exit 3")");
  sweep(folder, 4);
  const auto report = [&](const std::string& out) {
    return run_program({(bin_dir() / "expctl").string(), "--json", "--workspace", (folder / "runs").string(),
                        "report", "--out", (folder / out).string()});
  };
  for (const std::string out : {"r.html", "r.md", "r.csv"}) {
    const ProgramResult made = report(out);
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
    check_output("report", made.out);
  }
  CHECK_THAT(read_file(folder / "r.html"),
             Contains("Mean F1 of the best 2") && Contains("2 of the five places") && Contains("exit_code"));
  CHECK_THAT(read_file(folder / "r.md"), Contains("| 1 * | run1 | 100.000 | 100.000 |"));
  CHECK_THAT(read_file(folder / "r.csv"), Contains("run3,sweep1"));
  const ProgramResult wrong = report("r.pdf");
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, Contains("ends in .html, .md or .csv"));
}
