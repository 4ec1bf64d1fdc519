#include "formats/bert_config.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

Json base_config() {
  return {{"model_type", "bert"},    {"hidden_act", "gelu"},           {"vocab_size", 100},
          {"hidden_size", 32},       {"num_hidden_layers", 2},         {"num_attention_heads", 4},
          {"intermediate_size", 64}, {"max_position_embeddings", 128}, {"type_vocab_size", 2},
          {"layer_norm_eps", 1e-7}};
}

}  // namespace

TEST_CASE("bert_config: what is written is read back", "[formats]") {
  const TempDir dir;
  BertConfig config;
  config.vocab_size = 77;
  config.hidden_size = 48;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 6;
  config.intermediate_size = 96;
  config.max_position_embeddings = 200;
  config.type_vocab_size = 3;
  config.layer_norm_eps = 1e-6;
  write_bert_config(dir / "config.json", config);
  CHECK(read_bert_config(dir / "config.json") == config);
  CHECK(read_json(dir / "config.json")["architectures"][0] == "BertForQuestionAnswering");
  CHECK(config.head_size() == 8);
  write_tokenizer_config(dir / "tokenizer.json", config);
  CHECK(read_json(dir / "tokenizer.json")["do_lower_case"] == true);
  CHECK(read_json(dir / "tokenizer.json")["model_max_length"] == 200);
}

TEST_CASE("bert_config: only sizes are needed, and keys of others do not matter", "[formats]") {
  auto json = base_config();
  for (const char* key : {"model_type", "hidden_act", "layer_norm_eps"}) json.erase(key);
  json["something_else"] = "x";
  CHECK(bert_config_from_json(json, "c").layer_norm_eps == 1e-12);
  CHECK(bert_config_from_json(base_config(), "c").layer_norm_eps == 1e-7);
}

TEST_CASE("bert_config: what is no such BERT is refused by key", "[formats]") {
  struct Case {
    const char* key;
    Json value;
    const char* why;
  };
  const std::vector<Case> cases{{"model_type", "roberta", "model_type is 'roberta'"},
                                {"hidden_act", "gelu_new", "hidden_act 'gelu_new'"},
                                {"hidden_size", 33, "not a multiple of num_attention_heads = 4"},
                                {"hidden_size", 0, "'hidden_size' = 0 is no size"},
                                {"num_attention_heads", 0, "'num_attention_heads' = 0 is no size"},
                                {"num_hidden_layers", -1, "'num_hidden_layers' = -1 is no size"},
                                {"num_hidden_layers", 1001, "'num_hidden_layers' = 1001 is no size"},
                                {"vocab_size", int64_t{1} << 40, "'vocab_size'"},
                                {"vocab_size", "many", "'vocab_size' has the wrong type"},
                                {"type_vocab_size", 1, "type_vocab_size = 1"},
                                {"expctl_head", "conv", "expctl has no span head 'conv'"},
                                {"expctl_head", 1, "'expctl_head' has the wrong type"}};
  for (const auto& c : cases) {
    auto json = base_config();
    json[c.key] = c.value;
    INFO(c.key << " = " << c.value);
    CHECK_THROWS_WITH(bert_config_from_json(json, "c.json"),
                      Catch::StartsWith("c.json: ") && Catch::Contains(c.why));
  }
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings", "type_vocab_size"}) {
    auto json = base_config();
    json.erase(key);
    CHECK_THROWS_WITH(bert_config_from_json(json, "c.json"), Catch::Contains(key));
  }
  CHECK_THROWS_AS(bert_config_from_json(Json::array(), "c.json"), Error);
}

TEST_CASE("bert_config: a head other than the linear one is said, where there is a head", "[formats]") {
  const TempDir dir;
  BertConfig config;
  config.head = SpanHead::kMlp;
  write_bert_config(dir / "mlp.json", config);
  CHECK(read_json(dir / "mlp.json")["expctl_head"] == "mlp");
  CHECK(read_bert_config(dir / "mlp.json").head == SpanHead::kMlp);
  write_bert_config(dir / "none.json", config, false);
  CHECK_FALSE(read_json(dir / "none.json").contains("expctl_head"));
  write_bert_config(dir / "linear.json", {});
  CHECK_FALSE(
      read_json(dir / "linear.json").contains("expctl_head"));  // what transformers knows needs no word
  CHECK(read_bert_config(dir / "linear.json").head == SpanHead::kLinear);
  CHECK(same_encoder(config, {}));
  config.num_hidden_layers = 3;
  CHECK_FALSE(same_encoder(config, {}));
}

TEST_CASE("bert_config: a model goes on with its own head only", "[formats]") {
  BertConfig config;
  config.head = SpanHead::kMlp;
  CHECK_NOTHROW(check_head(config, SpanHead::kMlp, "init"));
  CHECK_THROWS_WITH(check_head(config, SpanHead::kLinear, "init"),
                    "init: its span head is 'mlp', but head = \"linear\" is to be trained");
}
