#include "formats/stored_bert.h"

#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "formats/tiny_bert.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;
using expctl::test::TempDir;

namespace {

/// A tiny BERT, to be spoilt.
struct Model {
  TempDir dir;
  CheckpointPaths paths{dir.path()};

  Model() { write_tiny_bert(dir.path(), {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b"}, 1); }
};

}  // namespace

TEST_CASE("stored bert: every tensor is found under its canonical name", "[formats]") {
  const Model model;
  const StoredBert bert = open_stored_bert(model.dir.path());
  CHECK(bert.config.vocab_size == 6);
  CHECK(bert.tensor("bert.embeddings.word_embeddings.weight").shape ==
        std::vector<int64_t>{6, bert.config.hidden_size});
  for (const auto& wanted : bert_tensors(bert.config)) {
    if (!wanted.name.starts_with("qa_outputs.")) CHECK(bert.names.contains(wanted.name));
  }
}

TEST_CASE("stored bert: a vocabulary of another size is refused, naming both files", "[formats]") {
  const Model model;
  write_file(model.paths.vocab(), read_file(model.paths.vocab()) + "extra");
  CHECK_THROWS_WITH(open_stored_bert(model.dir.path()),
                    Contains("vocab.txt: 7 pieces, but") && Contains("config.json says vocab_size 6"));
}

TEST_CASE("stored bert: truncated weights, a missing tensor, another shape, another type", "[formats]") {
  const Model model;
  const std::string good = read_file(model.paths.weights());
  write_file(model.paths.weights(), std::string_view(good).substr(0, good.size() / 2));
  CHECK_THROWS_WITH(open_stored_bert(model.dir.path()), Contains("model.safetensors"));
  write_file(model.paths.weights(), good);

  const auto bert = open_stored_bert(model.dir.path());
  const std::string stored = bert.names.at("bert.embeddings.LayerNorm.weight");
  auto tensors = bert.weights.tensors();
  const auto refused = [&](const std::map<std::string, TensorView>& changed) {
    const TempDir other;
    copy_tree(model.dir.path(), other.path());
    write_safetensors(CheckpointPaths{other.path()}.weights(), changed, {});
    try {
      open_stored_bert(other.path());
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  auto without = tensors;
  without.erase(stored);
  CHECK_THAT(refused(without), Contains("the tensor 'bert.embeddings.LayerNorm.weight' is missing"));
  const std::vector<float> three(3);
  auto shorter = tensors;
  shorter[stored] = view_of(three, {3});
  CHECK_THAT(refused(shorter), Contains("has the shape [3], config.json asks for ["));
  const std::vector<int64_t> whole(static_cast<size_t>(bert.config.hidden_size));
  auto integers = tensors;
  integers[stored] = view_of(whole, {bert.config.hidden_size});
  CHECK_THAT(refused(integers), Contains("is I64, not a floating-point type"));
}
