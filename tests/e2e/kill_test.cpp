// `expctl sweep` and signals: what is promised about kills, interruptions and going on.
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("kill -9 of a sweep leaves nothing alive within 5 s, and the same line goes on", "[e2e]") {
  const TempDir folder;
  // The second mode ignores TERM and has a child in another session; once go.txt is there it succeeds.
  write_sweep(
      folder,
      R"("true", "trap '' TERM; test -e ../../go.txt && exit 0; setsid sleep 100 & sleep 100; sleep 100")");
  const pid_t first = start_sweep(folder);
  REQUIRE(wait_until(10, [&] {
    return read_file(folder / "starts.txt").find("run2") != std::string::npos &&
           std::filesystem::exists(folder / "runs/run1/outcome.json") &&
           read_json(folder / "runs/run1/run.json")["state"] == "succeeded";
  }));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  CHECK(wait_until(5, [&] { return !someone_in(folder / "runs"); }));
  write_file(folder / "go.txt", "");
  const Json runs = sweep(folder, 0);
  CHECK(by_id(runs, "run2")["state"] == "succeeded");
  const std::string starts = read_file(folder / "starts.txt");
  CHECK(starts.find("run1") == starts.rfind("run1"));
  CHECK(starts.find("run2") != starts.rfind("run2"));
}

TEST_CASE("kill -9 of a supervisor ends its worker, the attempt is lost and tried again", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e ../../go.txt && exit 0; touch ../../go.txt; kill -9 $PPID; sleep 100")");
  const std::string toml = read_file(folder / "s.toml");
  write_file(folder / "s.toml", toml.substr(0, toml.find("retries")) + "retries = 1\n");
  const Json runs = sweep(folder, 0);
  CHECK(runs[0]["state"] == "succeeded");
  CHECK(read_json(folder / "runs/run1/run.json")["retries_used"] == 1);
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("TERM to a sweep interrupts what runs, and uses up no retry", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 100")");
  const pid_t child = start_sweep(folder);
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 143);
  CHECK(read_json(folder / "runs/run1/run.json")["state"] == "queued");
  CHECK(read_json(folder / "runs/run1/run.json")["retries_used"] == 0);
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("two INTs end a sweep at once with 130, whatever its job does", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("trap '' TERM INT; sleep 100; sleep 100")");
  const pid_t child = start_sweep(folder);
  ::kill(child, SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ::kill(child, SIGINT);
  int status = 0;
  CHECK(wait_until(10, [&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  CHECK(WEXITSTATUS(status) == 130);
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("a sweep under nohup outlives its terminal", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 1")");
  std::string line = "trap '' HUP; ";
  for (const auto& word : sweep_argv(folder)) line += word + " ";
  const ProgramResult result = run_program({"/bin/sh", "-c", line + "& sleep 0.5; kill -HUP $!; wait $!"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(Json::parse(result.out)["runs"][0]["state"] == "succeeded");
}
