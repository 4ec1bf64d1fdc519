// `expctl tag` and `expctl compare`, on runs of shell scripts.
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

ProgramResult expctl_in(const TempDir& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
  return run_program(words);
}

}  // namespace

TEST_CASE("a tag names a run for every command, moves, and stays when the registry is made anew", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, "\"true\", \"exit 0\"");
  sweep(folder, 0);
  CHECK(expctl_in(folder, {"tag", "run1", "best"}).exit_code == 0);
  CHECK(Json::parse(expctl_in(folder, {"--json", "runs", "show", "best"}).out)["id"] == "run1");
  const ProgramResult moved = expctl_in(folder, {"tag", "@", "best"});
  CHECK_THAT(moved.err, Catch::Contains("best is run2, and run1 no more"));
  CHECK(expctl_in(folder, {"registry", "check"}).exit_code == 0);
  for (const auto& file : find_files(folder / "runs", "registry.db*")) std::filesystem::remove(file);
  REQUIRE(expctl_in(folder, {"registry", "rebuild"}).exit_code == 0);
  const auto shown = Json::parse(expctl_in(folder, {"--json", "runs", "show", "best"}).out);
  CHECK(shown["id"] == "run2");
  CHECK(shown["tags"] == Json{"best"});
  CHECK(expctl_in(folder, {"tag", "--remove", "best"}).exit_code == 0);
  CHECK(expctl_in(folder, {"runs", "show", "best"}).exit_code == 3);
  for (const char* name : {"run7", "-x", "a b", "@", ""}) {
    INFO(name);
    CHECK(expctl_in(folder, {"tag", "run1", "--", name}).exit_code == 2);
  }
}

TEST_CASE("compare shows what differs, and questions won and lost", "[e2e]") {
  const TempDir folder;
  write_sweep(
      folder,
      R"("echo '{\"q1\": \"blue\"}' > predictions.json", "echo '{\"q1\": \"green\"}' > predictions.json")");
  sweep(folder, 0);
  const auto compared = Json::parse(expctl_in(folder, {"--json", "compare", "run1", "run2"}).out);
  CHECK(compared["differing"].size() == 1);
  CHECK(compared["differing"].contains("mode"));
  CHECK(compared["against_first"][0]["f1_difference"] == -100.0);
  CHECK(compared["against_first"][0]["lost"] == 1);
  CHECK_THAT(
      expctl_in(folder, {"compare", "run1", "run2"}).out,
      Catch::Contains("run2 - run1: F1 -100.0000") && Catch::Contains("0 questions won, 1 lost, 0 alike"));

  // The same data under another name is the same; changed, nothing is said of it but that.
  std::filesystem::copy_file(folder / "dev.json", folder / "again.json");
  expctl_in(folder, {"import", (folder / "runs/run1/predictions.json").string(), "--dev",
                     (folder / "again.json").string(), "--name", "theirs"});
  CHECK_THAT(expctl_in(folder, {"compare", "run1", "run3"}).out, Catch::Contains("run3 - run1: F1 +0.0000"));
  write_file(folder / "dev.json", read_file(folder / "dev.json") + "\n");
  const ProgramResult changed = expctl_in(folder, {"compare", "run1", "run2"});
  CHECK_THAT(changed.out, !Catch::Contains("run2 - run1"));
  CHECK_THAT(changed.err, Catch::Contains("no interval: ") && Catch::Contains("has changed since"));
}
