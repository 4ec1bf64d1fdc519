// The demo and a short sweep over it, in a folder of their own.
#pragma once

#include "core/files.h"
#include "tests/support/support.h"

namespace expctl::test {

/// Short runs of the demo: enough to answer something, not enough to answer well.
inline constexpr const char* kSweep = R"toml(
name = "short"
[data]
train = "demo/train.json"
dev = "demo/dev.json"
[model]
init = "demo/model"
[train]
max_steps = 60
learning_rate = 1e-3
hidden_dropout = 0.0
attention_dropout = 0.0
max_seq_length = 96
doc_stride = 32
precision = "fp32"
[sweep]
seeds = [1, 2]
)toml";

/// Commands typed in a new folder.
struct Job {
  TempDir dir;
  std::string expctl = (bin_dir() / "expctl").string();
  std::vector<std::string> environment = {};  ///< "NAME=value"

  ProgramResult operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), expctl);
    return run_program(words, dir.path(), environment);
  }

  ProgramResult succeeds(const std::vector<std::string>& words) const {
    const ProgramResult result = (*this)(words);
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }
};

}  // namespace expctl::test
