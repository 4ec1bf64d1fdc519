// `expctl rm` and `expctl gc`, on runs of shell scripts.
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

ProgramResult expctl_in(const TempDir& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
  return run_program(words);
}

/// Two runs with an answer and weights, of which the first is right.
void sweep_of_two(const TempDir& folder) {
  write_sweep(
      folder,
      R"("mkdir -p checkpoint; head -c 4096 /dev/zero > checkpoint/model.safetensors; echo '{\"q1\": \"blue\"}' > predictions.json", )"
      R"("mkdir -p checkpoint; head -c 2048 /dev/zero > checkpoint/model.safetensors; echo '{\"q1\": \"green\"}' > predictions.json")");
  const std::string file = read_file(folder / "s.toml");
  const std::string key = "predictions = ";
  write_file(folder / "s.toml", std::string(file).insert(file.find(key), "checkpoint = \"checkpoint\"\n"));
  sweep(folder, 0);
}

}  // namespace

TEST_CASE("rm takes a run off the record, and the sweep makes it again under a new number", "[e2e]") {
  const TempDir folder;
  sweep_of_two(folder);
  CHECK_THAT(expctl_in(folder, {"rm", "run2", "--dry-run"}).err, Catch::Contains("run2 would be removed"));
  CHECK(fs::exists(folder / "runs/run2"));
  CHECK(expctl_in(folder, {"rm", "run9"}).exit_code == 3);
  CHECK(expctl_in(folder, {"gc", "--keep", "1"}).exit_code == 2);   // of what?
  CHECK(expctl_in(folder, {"rm", "run2", "run9"}).exit_code == 3);  // then nothing goes
  CHECK(fs::exists(folder / "runs/run2"));
  CHECK_THAT(expctl_in(folder, {"rm", "run2", "run2"}).err, Catch::Contains("run2 removed ("));
  CHECK_FALSE(fs::exists(folder / "runs/run2"));
  CHECK(expctl_in(folder, {"runs", "show", "run2"}).exit_code == 3);
  CHECK(expctl_in(folder, {"registry", "check"}).exit_code == 0);
  const Json runs = sweep(folder, 0);
  CHECK(by_id(runs, "run3")["state"] == "succeeded");
  CHECK(expctl_in(folder, {"registry", "check"}).exit_code == 0);
}

TEST_CASE("gc says what could go, and takes it only with --delete", "[e2e]") {
  const TempDir folder;
  sweep_of_two(folder);
  CHECK_THAT(expctl_in(folder, {"gc"}).err, Catch::Contains("nothing to clear"));
  make_folder(folder / "runs/run1/.128-46.draft-99999999");  // of an evaluation that was killed
  CHECK_THAT(expctl_in(folder, {"gc"}).out, Catch::Contains("run1/.128-46.draft-99999999"));
  CHECK(expctl_in(folder, {"gc", "--delete"}).exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "runs/run1/.128-46.draft-99999999"));
  const ProgramResult plan = expctl_in(folder, {"gc", "--weights", "--keep", "1"});
  CHECK_THAT(plan.out, Catch::Contains("run2") && !Catch::Contains("run1") && Catch::Contains("2.0 KiB"));
  CHECK_THAT(plan.err, Catch::Contains("2.0 KiB would be freed"));
  CHECK(fs::exists(folder / "runs/run2/checkpoint"));
  REQUIRE(expctl_in(folder, {"tag", "run2", "mine"}).exit_code == 0);
  CHECK_THAT(expctl_in(folder, {"gc", "--weights", "--keep", "1"}).err, Catch::Contains("nothing to clear"));
  REQUIRE(expctl_in(folder, {"tag", "--remove", "mine"}).exit_code == 0);
  const auto freed =
      Json::parse(expctl_in(folder, {"--json", "gc", "--weights", "--keep", "1", "--delete"}).out);
  CHECK(freed["bytes"] == 2048);
  CHECK(freed["deleted"] == true);
  CHECK_FALSE(fs::exists(folder / "runs/run2/checkpoint"));
  CHECK(fs::exists(folder / "runs/run1/checkpoint"));
  CHECK(fs::exists(folder / "runs/run2/predictions.json"));
  CHECK(expctl_in(folder, {"registry", "check", "--hashes"}).exit_code == 0);
}
