#include "formats/bert_names.h"

#include <set>

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("bert_names: bert-base has its 199 tensors and 108,893,186 parameters", "[formats]") {
  const auto tensors = bert_tensors({});
  CHECK(tensors.size() == 5 + 12 * 16 + 2);
  int64_t parameters = 0;
  std::set<std::string> names;
  for (const auto& tensor : tensors) {
    int64_t count = 1;
    for (const auto n : tensor.shape) count *= n;
    parameters += count;
    names.insert(tensor.name);
    CHECK(canonical_bert_name(tensor.name) == tensor.name);
  }
  CHECK(names.size() == tensors.size());
  CHECK(parameters == 108'893'186);
  CHECK(tensors.back().name == "qa_outputs.bias");
  CHECK(tensors.back().shape == std::vector<int64_t>{2});
}

TEST_CASE("bert_names: an MLP head has two tensors more, and all of a head is one", "[formats]") {
  BertConfig config;
  config.head = SpanHead::kMlp;
  const auto tensors = bert_tensors(config), linear = bert_tensors({});
  REQUIRE(tensors.size() == linear.size() + 2);
  const auto end = tensors.end();
  CHECK(end[-4].name == "qa_head.dense.weight");
  CHECK(end[-4].shape == std::vector<int64_t>{768, 768});
  CHECK(end[-3].name == "qa_head.dense.bias");
  CHECK(end[-3].shape == std::vector<int64_t>{768});
  CHECK(end[-2].name == "qa_outputs.weight");
  for (const auto& tensor : tensors) {
    CHECK(canonical_bert_name(tensor.name) == tensor.name);
    CHECK(is_span_head(tensor.name) == !tensor.name.starts_with("bert."));
  }
  CHECK(is_bias_or_norm("qa_head.dense.bias"));
  CHECK_FALSE(is_bias_or_norm("qa_head.dense.weight"));
}

TEST_CASE("bert_names: a name is the same with and without its prefix, and what is not needed has none",
          "[formats]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"embeddings.word_embeddings.weight", "bert.embeddings.word_embeddings.weight"},
      {"bert.embeddings.word_embeddings.weight", "bert.embeddings.word_embeddings.weight"},
      {"encoder.layer.11.output.dense.bias", "bert.encoder.layer.11.output.dense.bias"},
      {"qa_outputs.weight", "qa_outputs.weight"},
      {"pooler.dense.weight", ""},
      {"bert.pooler.dense.bias", ""},
      {"embeddings.position_ids", ""},
      {"bert.embeddings.position_ids", ""},
      {"cls.predictions.bias", ""}};
  for (const auto& [name, canonical] : cases) {
    INFO(name);
    CHECK(canonical_bert_name(name) == canonical);
  }
}

TEST_CASE("bert_names: Google's names, and which of its tensors are transposed", "[formats]") {
  const std::vector<std::tuple<std::string, std::string, bool>> cases{
      {"bert.embeddings.word_embeddings.weight", "bert/embeddings/word_embeddings", false},
      {"bert.embeddings.token_type_embeddings.weight", "bert/embeddings/token_type_embeddings", false},
      {"bert.embeddings.LayerNorm.weight", "bert/embeddings/LayerNorm/gamma", false},
      {"bert.encoder.layer.0.attention.output.LayerNorm.bias",
       "bert/encoder/layer_0/attention/output/LayerNorm/beta", false},
      {"bert.encoder.layer.11.attention.self.query.weight",
       "bert/encoder/layer_11/attention/self/query/kernel", true},
      {"bert.encoder.layer.1.intermediate.dense.bias", "bert/encoder/layer_1/intermediate/dense/bias", false},
      {"qa_outputs.weight", "cls/squad/output_weights", false},
      {"qa_outputs.bias", "cls/squad/output_bias", false}};
  for (const auto& [canonical, name, transposed] : cases) {
    const GoogleName google = google_bert_name(canonical);
    CHECK(google.name == name);
    CHECK(google.transposed == transposed);
  }
}

TEST_CASE("bert_names: weight decay leaves biases and LayerNorm alone", "[formats]") {
  CHECK(is_bias_or_norm("qa_outputs.bias"));
  CHECK(is_bias_or_norm("bert.embeddings.LayerNorm.weight"));
  CHECK_FALSE(is_bias_or_norm("qa_outputs.weight"));
  CHECK_FALSE(is_bias_or_norm("bert.embeddings.word_embeddings.weight"));
}

TEST_CASE("bert_names: LayerNorm's older names, which bert-base-uncased has", "[formats]") {
  CHECK(canonical_bert_name("bert.embeddings.LayerNorm.gamma") == "bert.embeddings.LayerNorm.weight");
  CHECK(canonical_bert_name("encoder.layer.3.output.LayerNorm.beta") ==
        "bert.encoder.layer.3.output.LayerNorm.bias");
}
