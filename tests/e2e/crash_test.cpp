// `expctl sweep` killed again and again while its jobs succeed, fail, hang, crash and leave processes behind.
//
// EXPCTL_CRASHES says how often (6 in an ordinary test run), EXPCTL_CRASH_SEED when.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

int number_from(const char* variable, int fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::atoi(text);
}

/// 8 ways to end by 5 seeds. Each job holds a lock in its folder, which what it starts inherits: a second
/// attempt beside it would find it taken.
void write_crash_sweep(const TempDir& folder) {
  write_file(folder / "s.toml", R"([command]
argv = ["/bin/sh", "-c", "exec 9> lock; flock -n 9 || echo {run_id} >> ../../doubles.txt; echo {run_id} >> ../../starts.txt; {mode}"]
[sweep]
seeds = [1, 2, 3, 4, 5]
[sweep.space]
mode = ["true", "sleep 0.2", "exit 3", "sleep 300", "kill -SEGV $$", "echo CUDA out of memory; exit 1",
        "setsid sleep 300 & sleep 0.1", "(trap '' TERM; setsid sleep 300) & exit 0"]
[resources]
gpus = 0
timeout = "1s"
retries = 1
)");
}

std::map<std::string, std::string> states(const TempDir& folder) {
  const ProgramResult listed = run_program(
      {(bin_dir() / "expctl").string(), "--json", "--workspace", (folder / "runs").string(), "runs"});
  std::map<std::string, std::string> by_id;
  if (listed.exit_code != 0) return by_id;  // killed before there was a registry
  const Json json = Json::parse(listed.out);
  for (const auto& run : json["runs"]) by_id[run["id"]] = run["state"];
  return by_id;
}

std::map<std::string, int> starts(const TempDir& folder) {
  std::map<std::string, int> count;
  if (!std::filesystem::exists(folder / "starts.txt")) return count;
  for (const auto& id : split(trim(read_file(folder / "starts.txt")), '\n')) ++count[id];
  return count;
}

}  // namespace

TEST_CASE("killed at any moment, a sweep goes on: nothing runs twice, is lost, or is left over", "[e2e]") {
  const TempDir folder;
  write_crash_sweep(folder);
  std::mt19937 random(static_cast<unsigned>(number_from("EXPCTL_CRASH_SEED", 1)));
  std::uniform_real_distribution<double> moment(0.01, 1.5);
  int sweeps_ended = 0;
  for (int crash = 0; crash < number_from("EXPCTL_CRASHES", 6); ++crash) {
    INFO("crash " << crash);
    const auto before = states(folder);
    const auto starts_before = starts(folder);
    const pid_t sweeping = spawn_sweep(folder);
    std::this_thread::sleep_for(std::chrono::duration<double>(moment(random)));
    ::kill(sweeping, SIGKILL);
    int status = 0;
    ::waitpid(sweeping, &status, 0);
    sweeps_ended += WIFEXITED(status) ? 1 : 0;
    const auto starts_after = starts(folder);
    for (const auto& [id, state] : before) {
      INFO(id);
      if (state == "succeeded")
        CHECK((starts_after.contains(id) ? starts_after.at(id) : 0) == starts_before.at(id));
    }
    // All is done: begin anew, so that every kill meets a sweep at work.
    if (WIFEXITED(status)) {
      CHECK(wait_until(5, [&] { return !someone_in(folder / "runs"); }));
      std::filesystem::remove_all(folder / "runs");
      std::filesystem::remove(folder / "starts.txt");
    }
  }
  ProgramResult last = run_program(sweep_argv(folder));
  INFO(last.err);
  CHECK(last.exit_code == 4);
  CHECK_FALSE(std::filesystem::exists(folder / "doubles.txt"));
  CHECK(wait_until(5, [&] { return !someone_in(folder / "runs"); }));
  const Json runs = Json::parse(last.out)["runs"];
  REQUIRE(runs.size() == 40);
  std::map<std::string, int> reasons;
  for (const auto& run : runs) {
    const auto id = run["id"].get<std::string>();
    INFO(id);
    const auto state = run["state"].get<std::string>();
    CHECK((state == "succeeded" || state == "failed"));
    ++reasons[state == "failed" ? run["reason"].get<std::string>() : state];
    const Json file = read_json(folder / ("runs/" + id + "/run.json"));
    CHECK(file["state"] == state);
    CHECK(file["reason"] == run["reason"]);
  }
  CHECK(reasons ==
        std::map<std::string, int>{
            {"exit_code", 5}, {"out_of_memory", 5}, {"signal", 5}, {"succeeded", 20}, {"timed_out", 5}});
}
