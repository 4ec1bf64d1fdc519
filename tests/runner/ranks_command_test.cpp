#include "runner/ranks_command.h"

#include <csignal>

#include "tests/support/support.h"

using namespace expctl;

namespace {

constexpr int exited(int code) {
  return code << 8;
}

// What Open MPI 4.1 writes.
const std::string kRule(74, '-');
const std::string kKilled = "step 20\n" + kRule + R"(
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
)" + kRule + "\n" + kRule +
                            "\nmpirun noticed that process rank 13 with PID 0 on node vm exited on signal 11 "
                            "(Segmentation fault).\n" +
                            kRule + "\n";
const std::string kExited =
    "expctl-train: rank 0: of no interest\nexpctl-train: rank 1: model: no such folder\n"
    "  hint: make one\n" +
    kRule + R"(
mpirun detected that one or more processes exited with non-zero status, thus causing
the job to be terminated. The first process to do so was:

  Process name: [[18310,1],1]
  Exit code:    1
)" + kRule +
    "\n";

}  // namespace

TEST_CASE("a native run on several GPUs has a rank on each, a command starts its own", "[runner]") {
  RunSpec spec;
  CHECK(rank_count(spec) == 1);  // nothing said
  for (const int64_t gpus : {0, 1, 4}) {
    spec.resources.gpus = gpus;
    CHECK(rank_count(spec) == std::max<int64_t>(1, gpus));
  }
  spec.command.argv = {"mpirun", "train.py"};
  CHECK(rank_count(spec) == 1);
  const auto words = ranks_command(4, {"/bin/expctl-train", "runs/run 1"});
  CHECK(words.front() == "mpirun");
  CHECK(std::vector<std::string>(words.end() - 2, words.end()) ==
        std::vector<std::string>{"/bin/expctl-train", "runs/run 1"});
  CHECK_THAT(words, Catch::VectorContains(std::string("4")));
}

TEST_CASE("what mpirun returns is read as the end of the rank that it tells of", "[runner]") {
  CHECK(rank_wait_status(0) == 0);
  CHECK(rank_wait_status(exited(75)) == exited(75));
  CHECK(rank_wait_status(exited(143)) == exited(143));  // expctl-train's own word for TERM
  CHECK(rank_wait_status(exited(137)) == SIGKILL);
  CHECK(rank_wait_status(exited(139)) == SIGSEGV);
  CHECK(rank_wait_status(exited(255)) == exited(255));
  CHECK(rank_wait_status(SIGKILL) == SIGKILL);  // mpirun itself
}

TEST_CASE("the log of mpirun names the rank that ended the run", "[runner]") {
  CHECK(ended_rank(kKilled) == "rank 13 was ended by signal 11 (Segmentation fault)");
  CHECK(ended_rank(kExited) == "rank 1: model: no such folder");
  const std::string silent = kExited.substr(kExited.find(kRule));
  CHECK(ended_rank(silent) == "rank 1: ended with exit code 1");
  CHECK(ended_rank("step 20\n") == "");
}
