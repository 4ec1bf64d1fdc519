// A real Slurm of this machine with two GPUs that do not exist (one_node_slurm.sh), as long as this lives.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/support/support.h"

namespace expctl::test {

class OneNodeSlurm {
 public:
  /// "" where it can be had, else why not.
  static std::string obstacle() {
    if (::geteuid() != 0) return "a Slurm for tests needs root";
    if (run_program({"/bin/sh", "-c", "command -v slurmctld slurmd sbatch"}).exit_code != 0)
      return "Slurm is not installed";
    return "";
  }

  OneNodeSlurm() {
    act("start");
    ::setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
  }
  ~OneNodeSlurm() {
    run_program({script(), "stop", folder_.path().string()});
    ::unsetenv("SLURM_CONF");
  }
  OneNodeSlurm(const OneNodeSlurm&) = delete;
  OneNodeSlurm& operator=(const OneNodeSlurm&) = delete;

  void kill_controller() {
    shell("kill -9 $(cat " + (folder_ / "slurmctld.pid").string() + ")");
  }
  void restart_controller() { act("controller"); }

  /// What a line of shell prints, without the line break at its end.
  std::string shell(const std::string& line) const {
    const ProgramResult result = run_program({"/bin/sh", "-c", line});
    INFO(line << "\n" << result.err);
    REQUIRE(result.exit_code == 0);
    return result.out.substr(0, result.out.find_last_not_of('\n') + 1);
  }

 private:
  static std::string script() { return (source_dir() / "tests/support/one_node_slurm.sh").string(); }
  void act(const std::string& action) {
    const ProgramResult result = run_program({script(), action, folder_.path().string()});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }

  TempDir folder_;
};

}  // namespace expctl::test
