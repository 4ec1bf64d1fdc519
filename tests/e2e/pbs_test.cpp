// Sweeps as jobs of a PBS that is played by tests/support/fake_pbs.py: no package of it is to be had.
#include <cstdlib>

#include "tests/e2e/cluster_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Its commands stand first in PATH as long as this lives.
class FakePbs {
 public:
  FakePbs() : path_(std::getenv("PATH")) {
    make_folder(folder_ / "bin");
    make_folder(folder_ / "server");
    for (const char* command : {"qsub", "qstat", "qdel", "qrerun"}) {
      std::filesystem::create_symlink(source_dir() / "tests/support/fake_pbs.py", folder_ / "bin" / command);
    }
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
    ::setenv("FAKE_PBS", (folder_ / "server").c_str(), 1);
  }
  ~FakePbs() {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("FAKE_PBS");
  }

  void go_down() { write_file(folder_ / "server/down", ""); }
  void come_up() { std::filesystem::remove(folder_ / "server/down"); }
  void tell(const std::string& command, const std::string& job) {
    REQUIRE(run_program({(folder_ / "bin" / command).string(), job}).exit_code == 0);
  }

 private:
  TempDir folder_;
  std::string path_;
};

}  // namespace

TEST_CASE("a sweep on PBS outlives its expctl, the server, a deleted job, a rerun and its walltime",
          "[e2e]") {
  FakePbs pbs;
  const TempDir folder;
  write_cluster_sweep(folder, kStory, "kind = \"pbs\"\ntime = \"24s\"\nmax_parallel = 3\n");
  const pid_t first = start_sweep(folder);
  REQUIRE(wait_until(20, [&] { return starts_of(folder, "run1") == 1 && starts_of(folder, "run2") == 1; }));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  forget_job_id(folder);
  pbs.go_down();
  const pid_t second = spawn_sweep(folder);
  CHECK(wait_until(20, [&] { return has_said(folder, "pbs does not answer"); }));
  pbs.come_up();
  CHECK(wait_until(20, [&] { return has_said(folder, "pbs answers again"); }));
  pbs.tell("qdel", job_of(folder, "run1"));
  pbs.tell("qrerun", job_of(folder, "run2"));
  const int code = exit_code_of(second);
  INFO(read_file(folder / "sweep.log"));
  CHECK(code == 4);
  check_story(folder);
}

TEST_CASE("one run is a plain job of PBS, and what it refuses is told", "[e2e]") {
  FakePbs pbs;
  const TempDir folder;
  write_cluster_sweep(folder, "\"true\"", "kind = \"pbs\"\npartition = \"nowhere\"\n");
  const ProgramResult refused = run_program(sweep_argv(folder));
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("qsub: Unknown queue"));
  CHECK(show(folder, "run1")["state"] == "queued");
  write_cluster_sweep(folder, "\"true\"", "kind = \"pbs\"\n");
  const Json runs = sweep(folder, 0);
  CHECK(by_id(runs, "run1")["state"] == "succeeded");
}

TEST_CASE("on PBS a run that is stopped and removed while its job waits holds nobody up", "[e2e]") {
  FakePbs pbs;
  const TempDir folder;
  write_cluster_sweep(folder, "\"while ! test -e ../../go; do sleep 0.1; done\", \"true\", \"exit 0\"",
                      "kind = \"pbs\"\nmax_parallel = 1\n");
  const auto expctl = [&](const std::string& verb) {
    return run_program(
        {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), verb, "run2"});
  };
  const pid_t sweeping = start_sweep(folder);
  REQUIRE(wait_until(20, [&] { return show(folder, "run1")["state"] == "running"; }));
  CHECK(expctl("stop").exit_code == 0);
  CHECK(expctl("rm").exit_code == 0);
  write_file(folder / "go", "");
  const int code = exit_code_of(sweeping);
  INFO(read_file(folder / "sweep.log"));
  CHECK(code == 0);
}

TEST_CASE("where the cluster's commands are missing nothing is queued", "[e2e]") {
  const TempDir folder;
  write_cluster_sweep(folder, "\"true\"", "kind = \"pbs\"\n");
  const ProgramResult refused = run_program(sweep_argv(folder), {}, {"PATH=/nowhere"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("qsub is not in PATH; nothing was queued"));
  CHECK_FALSE(std::filesystem::exists(folder / "runs/registry.db"));
}
