// config.json of a BERT encoder in Hugging Face's layout, or Google's bert_config.json, which has the same
// keys without model_type: the sizes that the model is built from.
//
// Source: transformers' BertConfig; the defaults are those of bert-base-uncased.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/json.h"

namespace expctl {

/// What makes start and end logits of the last hidden states: qa_outputs alone, as transformers has it, or
/// qa_outputs(gelu(qa_head.dense(h))) with the exact GELU.
enum class SpanHead { kLinear, kMlp };

std::string_view name_of(SpanHead head);
/// "linear", "mlp"; throws Error naming `source` for another name.
SpanHead span_head_from(std::string_view name, const std::string& source);

struct BertConfig {
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;  ///< divides hidden_size
  int64_t intermediate_size = 3072;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  double layer_norm_eps = 1e-12;
  SpanHead head = SpanHead::kLinear;  ///< config.json's expctl_head; that which a model without one is to get

  int64_t head_size() const { return hidden_size / num_attention_heads; }
  bool operator==(const BertConfig&) const = default;
};

/// Throws Error naming the source: a size is missing, not positive or does not fit another, an activation
/// other than the exact GELU, a model_type other than bert, an unknown expctl_head.
BertConfig bert_config_from_json(const Json& json, const std::string& source);
BertConfig read_bert_config(const std::filesystem::path& path);

/// Whether the encoders are of the same shape, whatever the heads.
bool same_encoder(const BertConfig& a, const BertConfig& b);

/// Throws Error naming `source` where a model's own head is not the one that is to be trained.
void check_head(const BertConfig& config, SpanHead wanted, const std::string& source);

/// Throws Error naming `source` where a sequence of `tokens` is longer than the model has positions.
void check_length(const BertConfig& config, int64_t tokens, const std::string& source);

/// Throws Error where a tokenizer_config.json, if there is one, is of another tokenizer than the uncased one.
void check_tokenizer_config(const std::filesystem::path& path);

/// As transformers reads it: model_type bert, architectures BertForQuestionAnswering, or BertModel where
/// there is no span head; of a head other than the linear one expctl_head tells, which transformers passes
/// by. The dropout rates are those that a judge would fine-tune with; they do not matter for inference.
void write_bert_config(const std::filesystem::path& path, const BertConfig& config, bool has_head = true);

/// tokenizer_config.json of the uncased BertTokenizer.
void write_tokenizer_config(const std::filesystem::path& path, const BertConfig& config);

}  // namespace expctl
