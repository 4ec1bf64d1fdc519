#include "formats/tiny_bert.h"

#include <cmath>

#include "core/files.h"
#include "core/run_paths.h"
#include "formats/bert_names.h"
#include "formats/safetensors.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

const std::vector<std::string> kVocabulary{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##a"};
const TinyBertSize kSmall{.hidden = 32, .layers = 2, .heads = 4, .intermediate = 64, .max_position = 16};

}  // namespace

TEST_CASE("tiny_bert: the folder holds every tensor but the head, in the shapes of its config", "[formats]") {
  const TempDir dir;
  write_tiny_bert(dir.path(), kVocabulary, 7, kSmall);
  const CheckpointPaths paths{dir.path()};
  const auto config = read_bert_config(paths.config());
  CHECK(config.vocab_size == 8);
  CHECK(config.max_position_embeddings == 16);
  CHECK(std::filesystem::exists(paths.tokenizer_config()));
  CHECK(read_file(paths.vocab()) == "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##a\n");
  const auto file = SafeTensors::read(paths.weights());
  size_t count = 0;
  for (const auto& tensor : bert_tensors(config)) {
    if (tensor.name.starts_with("qa_outputs.")) continue;
    INFO(tensor.name);
    CHECK(file.at(tensor.name).shape == tensor.shape);
    ++count;
  }
  CHECK(file.tensors().size() == count);
}

TEST_CASE("tiny_bert: weights are normal with the deviation that it says, norms 1 and biases 0",
          "[formats]") {
  const TempDir dir;
  write_tiny_bert(dir.path(), kVocabulary, 7);
  const auto file = SafeTensors::read(CheckpointPaths{dir.path()}.weights());
  const auto values = file.at("bert.encoder.layer.1.intermediate.dense.weight").copy_as<float>();
  double sum = 0, squares = 0;
  for (const double v : values) {
    sum += v;
    squares += v * v;
  }
  const auto n = static_cast<double>(values.size());
  CHECK(std::abs(sum / n) < 0.004);
  CHECK(std::sqrt(squares / n) == Approx(0.08).epsilon(0.05));
  for (const float v : file.at("bert.embeddings.LayerNorm.weight").copy_as<float>()) CHECK(v == 1.0f);
  for (const float v : file.at("bert.encoder.layer.0.output.dense.bias").copy_as<float>()) CHECK(v == 0.0f);
}

TEST_CASE("tiny_bert: the same seed gives the same file, another seed another", "[formats]") {
  const TempDir a, b, c;
  write_tiny_bert(a.path(), kVocabulary, 7, kSmall);
  write_tiny_bert(b.path(), kVocabulary, 7, kSmall);
  write_tiny_bert(c.path(), kVocabulary, 8, kSmall);
  const auto weights = [](const TempDir& dir) { return read_file(CheckpointPaths{dir.path()}.weights()); };
  CHECK(weights(a) == weights(b));
  CHECK(weights(a) != weights(c));
}
