#include "formats/bert_config.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/files.h"

namespace expctl {
namespace {

constexpr int64_t kLargestSize = int64_t{1} << 24;
constexpr int64_t kMostLayers = 1000;

int64_t size_member(const Json& json, const char* key, const std::string& source,
                    int64_t largest = kLargestSize) {
  const auto value = json_get<int64_t>(json, key, source);
  if (value < 1 || value > largest) throw Error(fmt::format("{}: '{}' = {} is no size", source, key, value));
  return value;
}

constexpr const char* kHeadKey = "expctl_head";

}  // namespace

std::string_view name_of(SpanHead head) {
  return head == SpanHead::kMlp ? "mlp" : "linear";
}

SpanHead span_head_from(std::string_view name, const std::string& source) {
  for (const SpanHead head : {SpanHead::kLinear, SpanHead::kMlp}) {
    if (name == name_of(head)) return head;
  }
  throw Error(fmt::format("{}: expctl has no span head '{}'", source, name), "there are 'linear' and 'mlp'");
}

BertConfig bert_config_from_json(const Json& json, const std::string& source) {
  const auto type = json_get<std::string>(json, "model_type", source, "bert");
  if (type != "bert") {
    throw Error(fmt::format("{}: model_type is '{}', not 'bert'", source, type),
                "only BERT encoders can be trained");
  }
  const auto activation = json_get<std::string>(json, "hidden_act", source, "gelu");
  if (activation != "gelu")
    throw Error(fmt::format("{}: hidden_act '{}' is not supported, only 'gelu'", source, activation));
  BertConfig config;
  config.vocab_size = size_member(json, "vocab_size", source);
  config.hidden_size = size_member(json, "hidden_size", source);
  config.num_hidden_layers = size_member(json, "num_hidden_layers", source, kMostLayers);
  config.num_attention_heads = size_member(json, "num_attention_heads", source);
  config.intermediate_size = size_member(json, "intermediate_size", source);
  config.max_position_embeddings = size_member(json, "max_position_embeddings", source);
  config.type_vocab_size = size_member(json, "type_vocab_size", source);
  config.layer_norm_eps = json_get<double>(json, "layer_norm_eps", source, 1e-12);
  config.head = span_head_from(json_get<std::string>(json, kHeadKey, source, "linear"), source);
  if (config.hidden_size % config.num_attention_heads != 0) {
    throw Error(fmt::format("{}: hidden_size = {} is not a multiple of num_attention_heads = {}", source,
                            config.hidden_size, config.num_attention_heads));
  }
  if (config.type_vocab_size < 2)
    throw Error(fmt::format("{}: type_vocab_size = 1, but questions need 2", source));
  return config;
}

BertConfig read_bert_config(const std::filesystem::path& path) {
  return bert_config_from_json(read_json(path), path.string());
}

bool same_encoder(const BertConfig& a, const BertConfig& b) {
  BertConfig other = b;
  other.head = a.head;
  return a == other;
}

void check_head(const BertConfig& config, SpanHead wanted, const std::string& source) {
  if (config.head == wanted) return;
  throw Error(
      fmt::format("{}: its span head is '{}', but head = \"{}\" is to be trained", source,
                  name_of(config.head), name_of(wanted)),
      fmt::format("head = \"{}\" goes on with it; weights without a head get a new one of either kind",
                  name_of(config.head)));
}

void check_length(const BertConfig& config, int64_t tokens, const std::string& source) {
  if (tokens <= config.max_position_embeddings) return;
  throw Error(fmt::format("a length of {} tokens: {} has {} positions", tokens, source,
                          config.max_position_embeddings),
              "choose max_seq_length and eval_max_seq_length within them");
}

void check_tokenizer_config(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return;
  const Json json = read_json(path);
  for (const char* key : {"do_lower_case", "strip_accents", "tokenize_chinese_chars"}) {
    if (json_get<bool>(json, key, path.string(), true)) continue;
    throw Error(fmt::format("{}: {} is false, but expctl's tokenizer is that of the uncased models",
                            path.string(), key),
                "take an uncased model; the contest's is BERT-base uncased");
  }
}

void write_bert_config(const std::filesystem::path& path, const BertConfig& config, bool has_head) {
  Json json = {{"architectures", {has_head ? "BertForQuestionAnswering" : "BertModel"}},
               {"model_type", "bert"},
               {"hidden_act", "gelu"},
               {"hidden_size", config.hidden_size},
               {"num_hidden_layers", config.num_hidden_layers},
               {"num_attention_heads", config.num_attention_heads},
               {"intermediate_size", config.intermediate_size},
               {"vocab_size", config.vocab_size},
               {"max_position_embeddings", config.max_position_embeddings},
               {"type_vocab_size", config.type_vocab_size},
               {"layer_norm_eps", config.layer_norm_eps},
               {"hidden_dropout_prob", 0.1},
               {"attention_probs_dropout_prob", 0.1},
               {"initializer_range", 0.02},
               {"pad_token_id", 0},
               {"torch_dtype", "float32"}};
  if (has_head && config.head != SpanHead::kLinear) json[kHeadKey] = name_of(config.head);
  write_file(path, json_text(json));
}

void write_tokenizer_config(const std::filesystem::path& path, const BertConfig& config) {
  const Json json = {{"tokenizer_class", "BertTokenizer"},
                     {"do_lower_case", true},
                     {"model_max_length", config.max_position_embeddings},
                     {"cls_token", "[CLS]"},
                     {"sep_token", "[SEP]"},
                     {"pad_token", "[PAD]"},
                     {"unk_token", "[UNK]"},
                     {"mask_token", "[MASK]"}};
  write_file(path, json_text(json));
}

}  // namespace expctl
