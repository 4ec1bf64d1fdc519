// A disk that is full, under a sweep and under the registry: one error, and nothing lost.
#include <fstream>

#include "tests/e2e/command_sweep.h"
#include "tests/support/fetch_server.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

ProgramResult expctl_on(const SmallDisk& disk, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {(bin_dir() / "expctl").string(), "--workspace",
                                   (disk.path() / "runs").string()};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_program(argv);
}

void check_full(const ProgramResult& result) {
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, Catch::Contains("No space left on device") || Catch::Contains("disk is full"));
}

/// Three runs, each noting its start outside of the disk; the second fills the disk.
void write_filling_sweep(const TempDir& folder) {
  const std::string good = "echo '{\\\"q1\\\": \\\"blue\\\"}' > predictions.json";
  write_sweep(folder, "\"" + good + "\", \"[ -e " + (folder / "freed").string() +
                          " ] || { while [ ! -e ../run1/eval.json ]; do sleep 0.1; done; sleep 0.5; head -c "
                          "100000000 /dev/zero > ../ballast; }; " +
                          good + "\", \"true; " + good + "\"");
  // Each start is noted in a file beside the sweep file.
  std::string text = read_file(folder / "s.toml");
  const std::string relative = "../../starts.txt";
  text.replace(text.find(relative), relative.size(), (folder / "starts.txt").string());
  write_file(folder / "s.toml", text);
}

}  // namespace

TEST_CASE("full disk: a sweep that it stops says so, and goes on where there is room again", "[e2e]") {
  const SmallDisk disk("2m");
  SKIP_UNLESS(disk.is_mounted(), "mounting a file system needs root");
  const TempDir folder;
  write_filling_sweep(folder);
  const std::vector<std::string> sweep = {"sweep", (folder / "s.toml").string()};
  check_full(expctl_on(disk, sweep));
  check_full(expctl_on(disk, sweep));  // still full
  write_file(folder / "freed", "");
  fs::remove(disk.path() / "runs/ballast");
  const ProgramResult again = expctl_on(disk, {"sweep", (folder / "s.toml").string(), "--retry-failed"});
  INFO(again.err);
  CHECK(again.exit_code == 0);
  const ProgramResult listed = expctl_on(disk, {"--json", "runs"});
  const Json runs = Json::parse(listed.out)["runs"];
  REQUIRE(runs.size() == 3);
  for (const auto& run : runs) CHECK(run["f1"] == 100.0);
  const ProgramResult check = expctl_on(disk, {"registry", "check", "--hashes"});
  INFO(check.out);
  CHECK(check.exit_code == 0);
  // The first was done before the disk was full: it is not done again.
  const std::string starts = read_file(folder / "starts.txt");
  CHECK(starts.find("run1\n") == starts.rfind("run1\n"));
}

TEST_CASE("full disk: the registry refuses what it cannot keep, and stays whole", "[e2e]") {
  const SmallDisk disk("2m");
  SKIP_UNLESS(disk.is_mounted(), "mounting a file system needs root");
  const TempDir folder;
  write_sweep(folder, "\"echo '{\\\"q1\\\": \\\"blue\\\"}' > predictions.json\"");
  REQUIRE(expctl_on(disk, {"sweep", (folder / "s.toml").string()}).exit_code == 0);
  const auto fill = [&] {
    std::ofstream ballast(disk.path() / "ballast");
    while (ballast << 'x' && ballast.flush()) {
    }
  };
  fill();
  // The database has room for a few within its last page.
  ProgramResult refused;
  for (int i = 0; i < 300 && refused.exit_code == 0; ++i)
    refused = expctl_on(disk, {"tag", "run1", std::string(60, 'a') + std::to_string(1000 + i)});
  check_full(refused);
  check_full(expctl_on(disk, {"registry", "backup", (disk.path() / "copy.db").string()}));
  CHECK_FALSE(fs::exists(disk.path() / "copy.db"));
  check_full(expctl_on(disk, {"runs", "show", "run1"}));  // the file that readers share has no room either
  fs::remove(disk.path() / "ballast");
  const ProgramResult check = expctl_on(disk, {"registry", "check", "--hashes"});
  INFO(check.out << check.err);
  CHECK(check.exit_code == 0);
  CHECK(expctl_on(disk, {"tag", "run1", "best"}).exit_code == 0);
}
