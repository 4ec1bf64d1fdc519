// `expctl demo DIR`: generated SQuAD-format data, a vocabulary made from it, a tiny BERT and a sweep file, to
// try everything on.
#include <fmt/core.h>

#include "cli/folders.h"
#include "cli/verbs.h"
#include "core/files.h"
#include "formats/tiny_bert.h"
#include "squad/learn_vocabulary.h"
#include "squad/synthetic.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

// Learning rates for a model that starts from random weights; fine-tuning a pre-trained BERT wants some fifty
// times less.
constexpr const char* kSweepFile =
    R"toml(# A sweep of three learning rates by two seeds, made by `expctl demo`.
name = "demo"

[data]
train = "train.json"
dev = "dev.json"

[model]
init = "model"

[train]
epochs = 3
batch_size = 12
warmup_ratio = 0.1
hidden_dropout = 0.0
attention_dropout = 0.0
max_seq_length = 192
doc_stride = 64
max_answer_length = 8
precision = "fp32"

[sweep]
seeds = [1, 2]
[sweep.space]
learning_rate = [1e-3, 2e-3, 3e-3]
)toml";

void write_demo(const fs::path& folder) {
  check_new_folder(folder, "give the name of a new folder");
  make_folder(folder / "model");
  const SyntheticData data = make_synthetic_data({});
  write_file(folder / "train.json", dataset_text(data.train));
  write_file(folder / "dev.json", dataset_text(data.dev));
  constexpr int kVocabularySize = 900;
  write_tiny_bert(folder / "model", learn_vocabulary(data.train, kVocabularySize), 1);
  write_file(folder / "demo.toml", kSweepFile);
}

}  // namespace

void add_demo(CLI::App& app, Program& program) {
  auto* verb =
      app.add_subcommand("demo", "Make generated data, a tiny BERT and a sweep file to try everything on");
  verb->footer("Example: expctl demo demo; expctl sweep demo/demo.toml");
  auto folder = std::make_shared<fs::path>("demo");
  verb->add_option("DIR", *folder, "The folder to make (default: demo)");
  on_call(verb, program, [&program, folder] {
    write_demo(*folder);
    say(program,
        fmt::format("made {}; next: expctl sweep {}", folder->string(), (*folder / "demo.toml").string()));
    return 0;
  });
}

}  // namespace expctl
