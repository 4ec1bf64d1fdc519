// bench/parity at a size for every day: the same steps as transformers', exact resuming.
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Runs bench/parity/SCRIPT on the demo; `more` are its options.
void run_parity(const std::string& script, const std::vector<std::string>& more) {
  const Job job;
  job.succeeds({"demo", "demo"});
  std::vector<std::string> argv = {python().string(),  (source_dir() / "bench/parity" / script).string(),
                                   bin_dir().string(), "demo/model",
                                   "demo/train.json",  "work"};
  argv.insert(argv.end(), more.begin(), more.end());
  const ProgramResult result = run_program(argv, job.dir.path());
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
}

}  // namespace

TEST_CASE("parity: losses, first gradients and final weights of 30 steps are transformers'", "[e2e]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch and transformers");
  run_parity("steps.py", {"--steps", "30", "--max-seq-length", "192", "--doc-stride", "64", "--learning-rate",
                          "3e-4", "--questions", "200"});
}

TEST_CASE("parity: killed three times and resumed, a training ends with the bits of one left alone",
          "[e2e]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch and transformers");
  run_parity("exactness.py", {"--steps", "40", "--max-seq-length", "192", "--doc-stride", "64", "--precision",
                              "fp32", "--questions", "200"});
}
