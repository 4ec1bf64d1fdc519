// `cmake --install`, and the folder moved afterwards.
#include <filesystem>

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
}
