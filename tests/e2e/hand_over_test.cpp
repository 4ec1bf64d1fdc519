// Two sweeps in one workspace: whose runs start where, and how one takes over from the other.
#include <future>
#include <thread>

#include "core/run_paths.h"
#include "tests/e2e/command_sweep.h"
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// What the host does until it is let go, so that nothing depends on how fast its guest is.
constexpr const char* kUntilGo = R"("until test -e ../../go.txt; do sleep 0.1; done")";

int exit_code_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

size_t steps_of(const RunPaths& paths) {
  if (!std::filesystem::exists(paths.metrics())) return 0;
  const std::string text = read_file(paths.metrics());  // its last line may be half written
  size_t steps = 0;
  for (size_t at = text.find("\"loss\":"); at != std::string::npos; at = text.find("\"loss\":", at + 1))
    ++steps;
  return steps;
}

}  // namespace

TEST_CASE("a second sweep hands its runs to the scheduler that is at work", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 2")");
  const pid_t first = start_sweep(folder);
  write_sweep(folder, R"("true")");
  const ProgramResult second = run_program(sweep_argv(folder));
  INFO(second.err);
  CHECK(second.exit_code == 0);
  CHECK_THAT(second.err, Catch::Contains("handed to it"));
  CHECK(Json::parse(second.out)["runs"][0]["state"] == "succeeded");
  CHECK(exit_code_of(first) == 0);
}

TEST_CASE("a scheduler whose own runs have ended gives others' trainings to the sweep that waits", "[e2e]") {
  SKIP_UNLESS(std::thread::hardware_concurrency() > 1, "it needs two cores");
  const Job job;
  job.succeeds({"demo", "demo"});
  std::string toml = kSweep;
  toml.replace(toml.find("max_steps = 60"), 14, "max_steps = 2000");
  write_file(job.dir / "guest.toml",
             toml.substr(0, toml.find("[sweep]")) + "[resources]\ngpus = 0\ncpus = 1\n");
  write_sweep(job.dir, kUntilGo);
  const pid_t host = start_sweep(job.dir);
  auto guest = std::async(std::launch::async, [&] { return job({"--json", "sweep", "guest.toml"}); });
  const RunPaths training{job.dir / "runs/run2"};
  const bool begun = wait_until(60, [&] { return steps_of(training) > 5; });
  write_file(job.dir / "go.txt", "");  // else neither ends
  REQUIRE(begun);
  CHECK(exit_code_of(host) == 0);
  const auto now = read_json(training.run());
  CHECK(now["state"] != "succeeded");  // else nothing has been shown
  CHECK_THAT(read_file(job.dir / "sweep.log"), Catch::Contains("goes on with the sweep that waits"));
  const ProgramResult result = guest.get();
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, Catch::Contains("run2 started (attempt 2)"));
  CHECK_THAT(result.err, Catch::Contains("run2 succeeded"));
  CHECK(read_json(training.run())["retries_used"] == 0);
  CHECK(steps_of(training) == 2000);
}

TEST_CASE("a command that was handed over is waited for, also where a sweep waits", "[e2e]") {
  SKIP_UNLESS(std::thread::hardware_concurrency() > 1, "it needs two cores");
  const TempDir folder;
  write_sweep(folder, kUntilGo);
  const pid_t host = start_sweep(folder);
  write_sweep(folder, R"("sleep 5")");
  auto guest = std::async(std::launch::async, [&] { return run_program(sweep_argv(folder)); });
  const bool begun =
      wait_until(60, [&] { return read_file(folder / "starts.txt").find("run2") != std::string::npos; });
  write_file(folder / "go.txt", "");
  REQUIRE(begun);
  const ProgramResult result = guest.get();
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, Catch::Contains("handed to it"));
  CHECK(exit_code_of(host) == 0);
  const std::string host_says = read_file(folder / "sweep.log"), starts = read_file(folder / "starts.txt");
  CHECK_THAT(host_says, Catch::Contains("it starts no more, and waits for run2 of others"));
  CHECK_THAT(host_says, Catch::Contains("run2 succeeded"));
  CHECK(starts.find("run2") == starts.rfind("run2"));
}

TEST_CASE("a sweep says which runs of others it will start too, before it does", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e ../../go.txt || sleep 100")");
  const pid_t first = start_sweep(folder);
  ::kill(first, SIGTERM);
  CHECK(exit_code_of(first) == 143);
  write_sweep(folder, R"("true")");
  auto planned = sweep_argv(folder);
  planned.push_back("--dry-run");
  CHECK_THAT(run_program(planned).err, Catch::Contains("1 other run is queued here"));
  write_file(folder / "go.txt", "");
  const ProgramResult second = run_program(sweep_argv(folder));
  CHECK(second.exit_code == 0);
  CHECK_THAT(second.err, Catch::Contains("it starts only while this sweep leaves room (expctl") &&
                             Catch::Contains(" stop run1 keeps it from it)"));
  CHECK_THAT(run_program(planned).err, !Catch::Contains("queued here"));
}
