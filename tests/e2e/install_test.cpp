// `cmake --install`, and the folder moved afterwards.
#include <filesystem>

#include "core/files.h"
#include "core/text.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

TEST_CASE("an installed expctl finds its trainer and its source, wherever the folder is moved", "[e2e]") {
  SKIP_UNLESS(fs::exists(bin_dir() / "expctl-train"), "this build has no expctl-train");
  const TempDir folder;
  const ProgramResult installed = run_program(
      {"cmake", "--install", bin_dir().parent_path().string(), "--prefix", (folder / "first").string()});
  INFO(installed.err);
  REQUIRE(installed.exit_code == 0);
  fs::rename(folder / "first", folder / "moved");
  const fs::path expctl = folder / "moved/bin/expctl", trainer = folder / "moved/libexec/expctl/expctl-train";
  CHECK(run_program({expctl.string(), "--version"}).exit_code == 0);
  CHECK_THAT(run_program({expctl.string(), "doctor"}, folder.path()).out, Catch::Contains(trainer.string()));
  CHECK(run_program({trainer.string(), "--help"}).exit_code == 0);
  CHECK(fs::exists(folder / "moved/share/expctl/source.tar.gz"));
  CHECK(read_file(folder / "moved/share/man/man1/expctl.1") == run_program({expctl.string(), "man"}).out);
}

TEST_CASE("the manual page has every verb and option that --help has", "[e2e]") {
  const std::string expctl = (bin_dir() / "expctl").string();
  const std::string page = run_program({expctl, "man"}).out;
  const std::string help = run_program({expctl, "--help"}).out;
  const auto lines = split(help.substr(help.find("\nRun:\n")), '\n');
  int verbs = 0;
  for (const auto& line : lines) {
    if (!line.starts_with("  ") || line[2] == ' ') continue;
    const std::string verb = line.substr(2, line.find(' ', 2) - 2);
    INFO(verb);
    ++verbs;
    std::string typed;
    for (const char c : verb) typed += c == '-' ? "\\-" : std::string(1, c);
    CHECK_THAT(page, Catch::Contains("\n.SS expctl " + typed));
  }
  CHECK(verbs > 20);
  for (const char* section : {"ENVIRONMENT", "FILES", "EXIT STATUS"})
    CHECK_THAT(page, Catch::Contains(std::string("\n.SH ") + section + "\n"));
  CHECK_THAT(page,
             Catch::Contains("\n.SS expctl runs show ID\n") && Catch::Contains("\\fB\\-\\-retry\\-failed"));
  CHECK_FALSE(page.find(".SS expctl job") != std::string::npos);
  SKIP_UNLESS(run_program({"sh", "-c", "command -v groff"}).exit_code == 0, "no groff");
  const TempDir folder;
  write_file(folder / "expctl.1", page);
  const ProgramResult shown = run_program({"groff", "-man", "-Tutf8", "-ww", (folder / "expctl.1").string()});
  CHECK(shown.exit_code == 0);
  CHECK(shown.err == "");
}
