#include "formats/bert_names.h"

#include <fmt/core.h>

#include <algorithm>

namespace expctl {
namespace {

void add_linear(std::vector<TensorShape>& tensors, const std::string& name, int64_t out, int64_t in) {
  tensors.push_back({name + ".weight", {out, in}});
  tensors.push_back({name + ".bias", {out}});
}

void add_norm(std::vector<TensorShape>& tensors, const std::string& name, int64_t size) {
  tensors.push_back({name + ".weight", {size}});
  tensors.push_back({name + ".bias", {size}});
}

}  // namespace

std::vector<TensorShape> bert_tensors(const BertConfig& config) {
  const int64_t hidden = config.hidden_size;
  std::vector<TensorShape> tensors;
  tensors.push_back({"bert.embeddings.word_embeddings.weight", {config.vocab_size, hidden}});
  tensors.push_back({"bert.embeddings.position_embeddings.weight", {config.max_position_embeddings, hidden}});
  tensors.push_back({"bert.embeddings.token_type_embeddings.weight", {config.type_vocab_size, hidden}});
  add_norm(tensors, "bert.embeddings.LayerNorm", hidden);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = fmt::format("bert.encoder.layer.{}.", i);
    for (const char* part : {"query", "key", "value"})
      add_linear(tensors, layer + "attention.self." + part, hidden, hidden);
    add_linear(tensors, layer + "attention.output.dense", hidden, hidden);
    add_norm(tensors, layer + "attention.output.LayerNorm", hidden);
    add_linear(tensors, layer + "intermediate.dense", config.intermediate_size, hidden);
    add_linear(tensors, layer + "output.dense", hidden, config.intermediate_size);
    add_norm(tensors, layer + "output.LayerNorm", hidden);
  }
  if (config.head == SpanHead::kMlp) add_linear(tensors, "qa_head.dense", hidden, hidden);
  add_linear(tensors, "qa_outputs", 2, hidden);
  return tensors;
}

std::string canonical_bert_name(std::string_view name) {
  const bool has_prefix = name.starts_with("bert.");
  const std::string_view rest = has_prefix ? name.substr(5) : name;
  if (rest.ends_with("position_ids") || rest.starts_with("pooler.") || rest.starts_with("cls.")) return {};
  if (is_span_head(rest)) return std::string(rest);
  // As the first models of Hugging Face have it, bert-base-uncased among them.
  for (const auto& [old_end, end] : {std::pair("gamma", ".weight"), std::pair("beta", ".bias")}) {
    const std::string old_name = std::string("LayerNorm.") + old_end;
    if (rest.ends_with(old_name))
      return "bert." + std::string(rest.substr(0, rest.size() - old_name.size())) + "LayerNorm" + end;
  }
  return "bert." + std::string(rest);
}

GoogleName google_bert_name(std::string_view canonical) {
  if (canonical == "qa_outputs.weight") return {"cls/squad/output_weights"};
  if (canonical == "qa_outputs.bias") return {"cls/squad/output_bias"};
  const auto dot = canonical.rfind('.');
  std::string owner(canonical.substr(0, dot));
  const bool is_weight = canonical.substr(dot + 1) == "weight";
  std::replace(owner.begin(), owner.end(), '.', '/');
  if (const auto layer = owner.find("/layer/"); layer != std::string::npos)
    owner.replace(layer, 7, "/layer_");
  if (owner.ends_with("/LayerNorm")) return {owner + (is_weight ? "/gamma" : "/beta")};
  if (owner.ends_with("_embeddings")) return {owner};
  return {owner + (is_weight ? "/kernel" : "/bias"), is_weight};
}

bool is_span_head(std::string_view name) {
  return name.starts_with("qa_outputs.") || name.starts_with("qa_head.");
}

std::optional<int64_t> encoder_layer_of(std::string_view name) {
  constexpr std::string_view kBeginning = "bert.encoder.layer.";
  if (!name.starts_with(kBeginning)) return std::nullopt;
  return std::stoll(std::string(name.substr(kBeginning.size())));
}

bool is_bias_or_norm(std::string_view name) {
  return name.ends_with(".bias") || name.find("LayerNorm") != std::string_view::npos;
}

}  // namespace expctl
