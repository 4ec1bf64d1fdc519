// Sweeps as jobs of a real one-node Slurm.
#include "tests/e2e/cluster_sweep.h"
#include "tests/support/one_node_slurm.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("a sweep on Slurm outlives its expctl, the controller, a cancelled job, a requeue and a time limit",
          "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_cluster_sweep(folder, kStory, "kind = \"slurm\"\ntime = \"1m\"\nmax_parallel = 2\n");
  // Killed once both GPUs are busy: the jobs go on.
  const pid_t first = start_sweep(folder);
  REQUIRE(wait_until(20, [&] { return starts_of(folder, "run1") == 1 && starts_of(folder, "run2") == 1; }));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  forget_job_id(folder);
  std::this_thread::sleep_for(std::chrono::seconds(7));  // Slurm saves what it knows every 5 s
  slurm.kill_controller();
  const pid_t second = spawn_sweep(folder);
  CHECK(wait_until(40, [&] { return has_said(folder, "slurm does not answer"); }));
  slurm.restart_controller();
  CHECK(wait_until(40, [&] { return has_said(folder, "slurm answers again"); }));
  slurm.shell("scancel " + job_of(folder, "run1"));
  const std::string job = job_of(folder, "run2");
  slurm.shell("scontrol requeue " + job);
  REQUIRE(wait_until(20, [&] { return slurm.shell("squeue -h -r -j " + job + " -o %T") == "PENDING"; }));
  slurm.shell("scontrol update jobid=" + job + " StartTime=now");  // else it would wait two minutes
  const int code = exit_code_of(second);
  INFO(read_file(folder / "sweep.log"));
  CHECK(code == 4);
  check_story(folder);
  for (int i = 4; i <= 12; ++i) {
    const std::string gpu(trim(read_file(folder / ("runs/run" + std::to_string(i) + "/devices"))));
    CHECK((gpu == "0" || gpu == "1"));
  }
}

TEST_CASE("on Slurm a run is stopped or cancelled before it begins and while it runs, and taken up again",
          "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_cluster_sweep(folder, "\"test -e go || sleep 300\", \"true\", \"exit 0\", \"true # run4\"",
                      "kind = \"slurm\"\nmax_parallel = 1\n");
  const auto expctl = [&](const std::string& verb, const std::string& id) {
    return run_program(
        {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), verb, id});
  };
  const pid_t sweeping = start_sweep(folder);
  REQUIRE(wait_until(20, [&] { return show(folder, "run1")["state"] == "running"; }));
  REQUIRE(wait_until(20, [&] { return has_said(folder, "run1 started"); }));
  std::this_thread::sleep_for(std::chrono::seconds(2));  // the others have been seen to wait
  slurm.shell("scancel $(squeue -h -o %F | head -n 1)_3");
  CHECK(expctl("stop", "run2").exit_code == 0);
  CHECK(expctl("stop", "run1").exit_code == 0);
  const int code = exit_code_of(sweeping);
  INFO(read_file(folder / "sweep.log"));
  CHECK(code == 4);
  CHECK(show(folder, "run1")["state"] == "stopped");
  CHECK(show(folder, "run2")["state"] == "stopped");
  CHECK(show(folder, "run3")["state"] == "succeeded");
  CHECK(show(folder, "run4")["state"] == "stopped");
  CHECK(starts_of(folder, "run2") == 0);
  CHECK(starts_of(folder, "run4") == 0);
  CHECK(slurm.shell("squeue -h") == "");
  write_file(folder / "runs/run1/go", "");
  CHECK(expctl("resume", "run1").exit_code == 0);
  CHECK(expctl("resume", "run2").exit_code == 0);
  CHECK(expctl("resume", "run4").exit_code == 0);
  const Json runs = sweep(folder, 0);
  for (const auto& run : runs) CHECK(run["state"] == "succeeded");
  CHECK(starts_of(folder, "run1") == 2);
  CHECK(starts_of(folder, "run3") == 1);
}

TEST_CASE("on Slurm what was stopped and resumed while no expctl was at work runs once", "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_cluster_sweep(folder, "\"sleep 3\", \"true\"", "kind = \"slurm\"\nmax_parallel = 1\n");
  const auto expctl = [&](const std::string& verb, const std::string& id) {
    return run_program(
        {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), verb, id});
  };
  const pid_t first = start_sweep(folder);
  ::kill(first, SIGINT);
  CHECK(exit_code_of(first) == 130);
  INFO(read_file(folder / "sweep.log"));
  CHECK(has_said(folder, "2 runs are with the cluster and go on there"));
  CHECK(expctl("stop", "run2").exit_code == 0);
  CHECK(expctl("resume", "run2").exit_code == 0);
  REQUIRE(wait_until(20, [&] { return slurm.shell("squeue -h") == ""; }));
  CHECK(starts_of(folder, "run2") == 0);  // its old job has found nothing to do
  const Json runs = sweep(folder, 0);
  for (const auto& run : runs) CHECK(run["state"] == "succeeded");
  CHECK(starts_of(folder, "run1") == 1);
  CHECK(starts_of(folder, "run2") == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "doubles.txt"));
}

TEST_CASE("what Slurm refuses is told in its words, and the runs stay queued", "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  write_cluster_sweep(folder, "\"true\"", "kind = \"slurm\"\npartition = \"night\"\n");
  const ProgramResult refused = run_program(sweep_argv(folder));
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("sbatch:") && Catch::Contains("artition"));
  CHECK(show(folder, "run1")["state"] == "queued");
  // The same file on this machine.
  auto here = sweep_argv(folder);
  here.insert(here.end(), {"--executor", "local"});
  CHECK(run_program(here).exit_code == 0);
}

TEST_CASE("inside an allocation the local executor starts nothing that cannot finish", "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const TempDir folder;
  const auto write = [&](const std::string& seeds) {
    write_file(
        folder / "s.toml",
        "[command]\nargv = [\"/bin/sh\", \"-c\", \"echo {run_id} >> ../../starts.txt\"]\n[sweep]\nseeds = " +
            seeds);
  };
  const auto sweep_for_5_minutes = [&] {
    std::string line;
    for (const auto& word : sweep_argv(folder)) line += word + " ";
    write_file(folder / "job.sh", "#!/bin/sh\n#SBATCH --time=5\n#SBATCH --output=" +
                                      (folder / "job.log").string() + "\nexec " + line + "\n");
    slurm.shell("sbatch --wait " + (folder / "job.sh").string() + " || true");  // 4: a run is left
    return read_file(folder / "job.log");
  };
  write("[1]\n");
  sweep_for_5_minutes();
  CHECK(starts_of(folder, "run1") == 1);
  // As if it had taken an hour.
  slurm.shell("sqlite3 " + (folder / "runs/registry.db").string() +
              " \"UPDATE attempts SET started = ended - 3600 WHERE run_id = 'run1'\"");
  write("[1, 2]\n");
  const std::string said = sweep_for_5_minutes();
  INFO(said);
  CHECK(starts_of(folder, "run2") == 0);
  CHECK_THAT(said, Catch::Contains("run2 stays queued: it takes about 1 h") &&
                       Catch::Contains("left of this allocation"));
  CHECK(show(folder, "run2")["state"] == "queued");
  CHECK(run_program(sweep_argv(folder)).exit_code == 0);  // outside there is time enough
  CHECK(starts_of(folder, "run2") == 1);
}
