#include "formats/stored_bert.h"

#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "formats/bert_folder.h"
#include "formats/tiny_bert.h"
#include "tests/support/tf_bundle.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string refusal_of(const fs::path& folder) {
  try {
    open_stored_bert(folder);
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

/// A tiny BERT, to be spoilt.
struct Model {
  TempDir dir;
  CheckpointPaths paths{dir.path()};

  Model() { write_tiny_bert(dir.path(), {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b"}, 1); }
};

std::vector<float> values_of(const StoredBert& bert, const std::string& name) {
  const StoredTensor& stored = bert.tensors.at(name);
  std::vector<float> values(static_cast<size_t>(stored.view.element_count()));
  stored.read(values);
  return values;
}

/// A BERT of one layer of 2 hidden and 3 intermediate units in Google's layout, with what a file of
/// run_squad.py holds besides, in two shards. Element i of a tensor is i.
TfBundle google_bundle(bool with_head) {
  BertConfig config;
  config.vocab_size = 6;
  config.hidden_size = 2;
  config.num_hidden_layers = config.num_attention_heads = 1;
  config.intermediate_size = 3;
  config.max_position_embeddings = 4;
  TfBundle bundle;
  bundle.shards = 2;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape) {
    std::vector<float> values;
    const int64_t count = shape.size() == 2 ? shape[0] * shape[1] : shape[0];
    for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i));
    bundle.tensors[name] = tf_floats(shape, values, bundle.tensors.size() % 2);
  };
  for (const auto& wanted : bert_tensors(config)) {
    if (wanted.name.starts_with("qa_outputs.") && !with_head) continue;
    const auto [name, transposed] = google_bert_name(wanted.name);
    add(name, transposed ? std::vector<int64_t>{wanted.shape[1], wanted.shape[0]} : wanted.shape);
    add(name + "/adam_m", wanted.shape);
    add(name + "/adam_v", wanted.shape);
  }
  add("bert/pooler/dense/kernel", {2, 2});
  add("cls/predictions/output_bias", {6});
  add("cls/seq_relationship/output_weights", {2, 2});
  bundle.tensors["global_step"] = {9, {}, std::string(8, '\0'), 0, {}};
  return bundle;
}

struct GoogleModel {
  TempDir dir;

  explicit GoogleModel(const TfBundle& bundle, const std::string& prefix = "bert_model.ckpt") {
    bundle.write(dir / prefix);
    write_file(dir / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n");
    write_file(dir / "bert_config.json",
               R"({"hidden_size": 2, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 3,
                   "vocab_size": 6, "max_position_embeddings": 4, "type_vocab_size": 2, "hidden_act": "gelu"})");
  }

  std::string refusal() const { return refusal_of(dir.path()); }
};

}  // namespace

TEST_CASE("stored bert: every tensor is found under its canonical name", "[formats]") {
  const Model model;
  const StoredBert bert = open_stored_bert(model.dir.path());
  CHECK(bert.config.vocab_size == 6);
  CHECK(bert.tensors.at("bert.embeddings.word_embeddings.weight").shape() ==
        std::vector<int64_t>{6, bert.config.hidden_size});
  CHECK_FALSE(bert.has_head());
  for (const auto& wanted : bert_tensors(bert.config)) {
    if (!wanted.name.starts_with("qa_outputs.")) CHECK(bert.tensors.contains(wanted.name));
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
  const std::string stored = "bert.embeddings.LayerNorm.weight";
  const SafeTensors file = SafeTensors::read(model.paths.weights());
  const auto& tensors = file.tensors();
  const auto refused = [&](const std::map<std::string, TensorView>& changed) {
    const TempDir other;
    copy_tree(model.dir.path(), other.path());
    write_safetensors(CheckpointPaths{other.path()}.weights(), changed, {});
    return refusal_of(other.path());
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

  auto half_a_head = tensors;
  const std::vector<float> two(2);
  half_a_head["qa_outputs.bias"] = view_of(two, {2});
  CHECK_THAT(refused(half_a_head),
             Contains("a part of the span head (linear) is missing: 'qa_outputs.weight'"));
  auto twice = tensors;
  twice["embeddings.LayerNorm.weight"] = tensors.at(stored);
  CHECK_THAT(refused(twice),
             Contains("'" + stored + "' and 'embeddings.LayerNorm.weight' are one and the same"));
}

TEST_CASE("stored bert: a head is the one that config.json says, and whole", "[formats]") {
  const Model model;
  const StoredBert bare = open_stored_bert(model.dir.path());
  BertConfig config = bare.config;
  config.head = SpanHead::kMlp;
  std::map<std::string, std::vector<float>> values;
  const SafeTensors before = SafeTensors::read(model.paths.weights());
  auto tensors = before.tensors();
  for (const auto& [name, shape] : bert_tensors(config)) {
    if (!is_span_head(name)) continue;
    values[name].resize(static_cast<size_t>(shape.size() == 2 ? shape[0] * shape[1] : shape[0]), 0.5f);
    tensors[name] = view_of(values[name], shape);
  }
  const auto written = [&](const std::string& without, const BertConfig& says) {
    const TempDir other;
    auto chosen = tensors;
    chosen.erase(without);
    write_bert_folder(other / "model", config, bare.vocabulary_text, chosen);
    write_bert_config(CheckpointPaths{other / "model"}.config(), says);
    return refusal_of(other / "model");
  };
  CHECK(written("", config).empty());
  CHECK_THAT(written("qa_head.dense.bias", config),
             Contains("a part of the span head (mlp) is missing: 'qa_head.dense.bias'"));
  CHECK_THAT(written("qa_outputs.weight", config), Contains("is missing: 'qa_outputs.weight'"));
  CHECK_THAT(
      written("", bare.config),
      Contains("the tensor 'qa_head.dense.bias' is not of the span head that config.json says (linear)"));
  // A model that says of a head and has none is not one that is to get a new one.
  write_bert_config(model.paths.config(), config);
  CHECK_THAT(refusal_of(model.dir.path()), Contains("a part of the span head (mlp) is missing"));
}

TEST_CASE("stored bert: a folder without weights, and one whose text is cut otherwise", "[formats]") {
  const Model model;
  write_file(model.paths.tokenizer_config(), R"({"do_lower_case": false})");
  CHECK_THAT(refusal_of(model.dir.path()), Contains("tokenizer_config.json: do_lower_case is false"));
  write_file(model.paths.tokenizer_config(), R"({"strip_accents": null, "tokenize_chinese_chars": true})");
  CHECK(refusal_of(model.dir.path()).empty());
  fs::remove(model.paths.weights());
  CHECK_THAT(refusal_of(model.dir.path()), Contains("neither model.safetensors nor pytorch_model.bin in it"));
}

TEST_CASE("stored bert: half-precision numbers of every kind are widened exactly", "[formats]") {
  // 1, -2, the smallest and the largest below the normal ones, the largest of all, infinity, -0.
  const std::string half("\x00\x3c\x00\xc0\x01\x00\xff\x03\xff\x7b\x00\x7c\x00\x80", 14);
  std::vector<float> values(7);
  StoredTensor{{DType::kF16, {7}, std::as_bytes(std::span(half))}}.read(values);
  CHECK(values == std::vector<float>{1, -2, 0x1p-24f, 0x3ffp-24f, 65504, HUGE_VALF, -0.0f});
  CHECK(std::signbit(values[6]));
  const std::string bf16("\x80\x3f\x49\x40", 4);
  values.resize(2);
  StoredTensor{{DType::kBF16, {2}, std::as_bytes(std::span(bf16))}}.read(values);
  CHECK(values == std::vector<float>{1, 3.140625f});
}

TEST_CASE("stored bert: Google's folder, its kernels transposed and the rest left out", "[formats]") {
  const GoogleModel model(google_bundle(true));
  const StoredBert bert = open_stored_bert(model.dir.path());
  CHECK(bert.config.intermediate_size == 3);
  CHECK(bert.config_file == model.dir / "bert_config.json");
  CHECK(bert.tensors.size() == 5 + 16 + 2);
  CHECK(bert.has_head());
  const std::string dense = "bert.encoder.layer.0.intermediate.dense.weight";
  CHECK(bert.tensors.at(dense).shape() == std::vector<int64_t>{3, 2});
  CHECK(values_of(bert, dense) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(values_of(bert, "qa_outputs.weight") == std::vector<float>{0, 1, 2, 3});
  CHECK_FALSE(open_stored_bert(GoogleModel(google_bundle(false)).dir.path()).has_head());
}

TEST_CASE("stored bert: what is wrong in Google's folder is said with its name", "[formats]") {
  auto bundle = google_bundle(false);
  const std::string kernel = "bert/encoder/layer_0/output/dense/kernel";
  bundle.tensors[kernel] = tf_floats({2, 3}, std::vector<float>(6));
  CHECK_THAT(GoogleModel(bundle).refusal(),
             Contains("tensor '" + kernel + "' has the shape [2, 3], bert_config.json asks for [3, 2]"));
  bundle.tensors.erase(kernel);
  CHECK_THAT(GoogleModel(bundle).refusal(),
             Contains("bert_model.ckpt.index: the tensor '" + kernel + "' is missing"));

  const GoogleModel model(google_bundle(false));
  const fs::path data = model.dir / "bert_model.ckpt.data-00001-of-00002";
  const std::string good = read_file(data);
  write_file(data, damaged(good, 8));
  CHECK_THAT(model.refusal(), Contains("bert_model.ckpt.data-00001-of-00002: tensor 'bert/"));
  write_file(data, good);
  CHECK(model.refusal().empty());
  fs::remove(data);
  CHECK_THAT(model.refusal(), Contains("bert_model.ckpt.data-00001-of-00002: no such file"));
}

TEST_CASE("stored bert: which of a folder's checkpoints is meant", "[formats]") {
  const GoogleModel model(google_bundle(true), "model.ckpt-1200");
  CHECK(open_stored_bert(model.dir.path()).weights_file == model.dir / "model.ckpt-1200.index");
  google_bundle(true).write(model.dir / "model.ckpt-1500");
  CHECK_THAT(model.refusal(), Contains("several checkpoints: model.ckpt-1200.index, model.ckpt-1500.index"));
  google_bundle(true).write(model.dir / "bert_model.ckpt");
  CHECK(open_stored_bert(model.dir.path()).weights_file == model.dir / "bert_model.ckpt.index");
  for (const auto& file : find_files(model.dir.path(), "*.index")) fs::remove(file);
  CHECK_THAT(model.refusal(), Contains("there is no checkpoint in it"));
}

TEST_CASE("stored bert: a folder with pytorch_model.bin alone is left to the trainer", "[formats]") {
  const Model model;
  CHECK(is_stored_bert(model.dir.path()));
  fs::rename(model.paths.weights(), model.paths.pickled_weights());
  const StoredBert bert = open_stored_bert(model.dir.path());
  CHECK(bert.is_pickled());
  CHECK(bert.config.vocab_size == 6);
  CHECK(bert.tensors.empty());
}
