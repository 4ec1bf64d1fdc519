// Sweeps as jobs of a real one-node Slurm.
#include <unistd.h>

#include <algorithm>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"
#include "tests/support/one_node_slurm.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Each job holds a lock in its folder, which a second attempt beside it would find taken.
void write_slurm_sweep(const TempDir& folder, const std::string& modes, const std::string& more) {
  write_file(folder / "s.toml",
             "[command]\nargv = [\"/bin/sh\", \"-c\", \"exec 9> lock; flock -n 9 || echo {run_id} >> "
             "../../doubles.txt; echo {run_id} >> ../../starts.txt; echo $CUDA_VISIBLE_DEVICES > devices; "
             "{mode}\"]\n[sweep.space]\nmode = [" +
                 modes + "]\n[resources]\nretries = 0\n[executor]\nkind = \"slurm\"\n" + more);
}

int starts_of(const TempDir& folder, const std::string& id) {
  if (!std::filesystem::exists(folder / "starts.txt")) return 0;
  const auto lines = split(read_file(folder / "starts.txt"), '\n');
  return static_cast<int>(std::count(lines.begin(), lines.end(), id));
}

Json state_of(const TempDir& folder, const std::string& id) {
  const ProgramResult shown = run_program({(bin_dir() / "expctl").string(), "--json", "--workspace",
                                           (folder / "runs").string(), "runs", "show", id});
  INFO(shown.err);
  REQUIRE(shown.exit_code == 0);
  return Json::parse(shown.out);
}

/// Slurm's name of the job of a run that has begun.
std::string job_of(const TempDir& folder, const std::string& id) {
  return read_json(folder / ("runs/" + id + "/attempt.claim"))["job"].get<std::string>();
}

}  // namespace

TEST_CASE("a sweep on Slurm outlives its expctl, the controller, a cancelled job, a requeue and a time limit",
          "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_slurm_sweep(folder,
                    "\"sleep 300 # run1 is cancelled\", \"test -e again && exit 0; touch again; sleep 300\", "
                    "\"sleep 299 # run3 has too little time\", \"exit 3\", \"sleep 0.1\", \"sleep 0.2\", "
                    "\"sleep 0.3\", \"sleep 0.4\", \"sleep 0.5\", \"sleep 0.6\", \"sleep 0.7\", \"sleep 0.8\"",
                    "time = \"1m\"\nmax_parallel = 2\n");
  // Killed once both GPUs are busy: the jobs go on.
  const pid_t first = start_sweep(folder);
  REQUIRE(wait_until(20, [&] { return starts_of(folder, "run1") == 1 && starts_of(folder, "run2") == 1; }));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  std::this_thread::sleep_for(std::chrono::seconds(7));  // it saves what it knows every 5 s
  slurm.kill_controller();
  const pid_t second = spawn_sweep(folder);
  CHECK(wait_until(40, [&] {
    return read_file(folder / "sweep.log").find("slurm does not answer") != std::string::npos;
  }));
  slurm.restart_controller();
  CHECK(wait_until(40, [&] {
    return read_file(folder / "sweep.log").find("slurm answers again") != std::string::npos;
  }));
  slurm.shell("scancel " + job_of(folder, "run1"));
  const std::string job = job_of(folder, "run2");
  slurm.shell("scontrol requeue " + job);
  REQUIRE(wait_until(20, [&] { return slurm.shell("squeue -h -r -j " + job + " -o %T") == "PENDING"; }));
  slurm.shell("scontrol update jobid=" + job + " StartTime=now");  // else it would wait two minutes
  int status = 0;
  ::waitpid(second, &status, 0);
  INFO(read_file(folder / "sweep.log"));
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 4));

  CHECK_FALSE(std::filesystem::exists(folder / "doubles.txt"));
  CHECK_FALSE(someone_in(folder / "runs"));
  CHECK(state_of(folder, "run1")["state"] == "stopped");
  CHECK(starts_of(folder, "run1") == 1);
  const Json requeued = state_of(folder, "run2");
  CHECK(requeued["state"] == "succeeded");
  CHECK(starts_of(folder, "run2") == 2);
  REQUIRE(requeued["attempt_history"].size() == 2);
  CHECK(requeued["attempt_history"][0]["end"] == "interrupted");
  CHECK(requeued["attempt_history"][1]["end"] == "succeeded");
  const Json late = state_of(folder, "run3");
  CHECK(late["state"] == "failed");
  CHECK(late["reason"] == "timed_out");
  CHECK(state_of(folder, "run4")["reason"] == "exit_code");
  for (int i = 4; i <= 12; ++i) {
    const std::string id = "run" + std::to_string(i);
    INFO(id);
    CHECK(starts_of(folder, id) == 1);
    if (i > 4) CHECK(state_of(folder, id)["state"] == "succeeded");
    const std::string gpu(trim(read_file(folder / ("runs/" + id + "/devices"))));
    CHECK((gpu == "0" || gpu == "1"));
  }
  // Nothing of the array is left but its script.
  for (const auto& entry : std::filesystem::directory_iterator(folder / "runs/sweep1/jobs"))
    CHECK(entry.path().extension() != ".json");
}

TEST_CASE("on Slurm a run is stopped before it begins and while it runs, and taken up again", "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_slurm_sweep(folder, "\"test -e go || sleep 300\", \"true\", \"exit 0\"", "max_parallel = 1\n");
  const auto expctl = [&](const std::string& verb, const std::string& id) {
    return run_program(
        {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), verb, id});
  };
  const pid_t sweeping = start_sweep(folder);
  REQUIRE(wait_until(20, [&] { return state_of(folder, "run1")["state"] == "running"; }));
  CHECK(expctl("stop", "run2").exit_code == 0);
  CHECK(expctl("stop", "run1").exit_code == 0);
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  INFO(read_file(folder / "sweep.log"));
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 4));
  CHECK(state_of(folder, "run1")["state"] == "stopped");
  CHECK(state_of(folder, "run2")["state"] == "stopped");
  CHECK(state_of(folder, "run3")["state"] == "succeeded");
  CHECK(starts_of(folder, "run2") == 0);
  CHECK(slurm.shell("squeue -h") == "");
  write_file(folder / "runs/run1/go", "");
  CHECK(expctl("resume", "run1").exit_code == 0);
  CHECK(expctl("resume", "run2").exit_code == 0);
  const Json runs = sweep(folder, 0);
  for (const auto& run : runs) CHECK(run["state"] == "succeeded");
  CHECK(starts_of(folder, "run1") == 2);
  CHECK(starts_of(folder, "run3") == 1);
}

TEST_CASE("what Slurm refuses is told in its words, and the runs stay queued", "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_slurm_sweep(folder, "\"true\"", "partition = \"night\"\n");
  const ProgramResult refused = run_program(sweep_argv(folder));
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("sbatch:") && Catch::Contains("artition"));
  CHECK(state_of(folder, "run1")["state"] == "queued");
  // The same file on this machine.
  auto here = sweep_argv(folder);
  here.insert(here.end(), {"--executor", "local"});
  CHECK(run_program(here).exit_code == 0);
}
