#include "trainer/model.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace expctl {
namespace {

constexpr int64_t kSitesPerLayer = 1 << 10;  // attention heads count from kHeadSite on
constexpr int64_t kAttentionOutputSite = 1;
constexpr int64_t kFfnOutputSite = 2;
constexpr int64_t kHeadSite = 3;

/// One forward pass: its parameters in the type of its products, and the keys of its masks.
class Pass {
 public:
  Pass(const Parameters& parameters, const BertConfig& config, const PackedBatch& batch,
       const ForwardOptions& options)
      : parameters_(parameters), config_(config), batch_(batch), options_(options) {}

  torch::Tensor run() const {
    auto hidden = embed();
    for (int64_t i = 0; i < config_.num_hidden_layers; ++i) hidden = layer(hidden, i);
    return at::linear(hidden.to(torch::kFloat), get("qa_outputs.weight"), get("qa_outputs.bias"));
  }

 private:
  const torch::Tensor& get(const std::string& name) const { return parameters_.at(name); }

  torch::Tensor cast(const torch::Tensor& x) const { return x.to(type_of(options_.precision)); }

  torch::Tensor linear(const torch::Tensor& x, const std::string& name) const {
    return at::linear(x, cast(get(name + ".weight")), cast(get(name + ".bias")));
  }

  torch::Tensor norm(const torch::Tensor& x, const std::string& name) const {
    return at::layer_norm(x, {config_.hidden_size}, get(name + ".weight"), get(name + ".bias"),
                          config_.layer_norm_eps);
  }

  std::vector<uint64_t> token_keys(int64_t site) const {
    std::vector<uint64_t> keys;
    if (options_.hidden_dropout == 0) return keys;
    for (size_t s = 0; s < batch_.lengths.size(); ++s) {
      for (int64_t p = 0; p < batch_.lengths[s]; ++p) {
        keys.push_back(dropout_row_key(options_.dropout, batch_.sequences[s], site, p));
      }
    }
    return keys;
  }

  std::vector<uint64_t> head_keys(size_t sequence, int64_t site) const {
    std::vector<uint64_t> keys;
    if (options_.attention_dropout == 0) return keys;
    for (int64_t head = 0; head < config_.num_attention_heads; ++head) {
      for (int64_t p = 0; p < batch_.lengths[sequence]; ++p) {
        keys.push_back(
            dropout_row_key(options_.dropout, batch_.sequences[sequence], site + kHeadSite + head, p));
      }
    }
    return keys;
  }

  torch::Tensor embed() const {
    const std::string names = "bert.embeddings.";
    const auto sum = at::embedding(get(names + "word_embeddings.weight"), batch_.input_ids) +
                     at::embedding(get(names + "token_type_embeddings.weight"), batch_.token_types) +
                     at::embedding(get(names + "position_embeddings.weight"), batch_.positions);
    return cast(dropout(norm(sum, names + "LayerNorm"), token_keys(0), options_.hidden_dropout));
  }

  torch::Tensor attention(const torch::Tensor& hidden, const std::string& name, int64_t site) const {
    std::vector<torch::Tensor> weights, biases;
    for (const char* part : {"query", "key", "value"}) {
      weights.push_back(cast(get(name + part + ".weight")));
      biases.push_back(cast(get(name + part + ".bias")));
    }
    const auto qkv = at::linear(hidden, at::cat(weights), at::cat(biases));
    const double scale = 1.0 / std::sqrt(static_cast<double>(config_.head_size()));
    std::vector<torch::Tensor> contexts;
    const auto pieces = qkv.split_with_sizes(batch_.lengths, 0);
    for (size_t s = 0; s < pieces.size(); ++s) {
      const int64_t length = batch_.lengths[s];
      const auto parts = pieces[s]
                             .view({length, 3, config_.num_attention_heads, config_.head_size()})
                             .permute({1, 2, 0, 3})
                             .unbind(0);
      const auto scores = at::bmm(parts[0] * scale, parts[1].transpose(1, 2));
      const auto weight = dropout(at::softmax(scores, -1), head_keys(s, site), options_.attention_dropout);
      contexts.push_back(at::bmm(weight, parts[2]).transpose(0, 1).reshape({length, config_.hidden_size}));
    }
    return at::cat(contexts);
  }

  torch::Tensor layer(const torch::Tensor& hidden, int64_t index) const {
    const std::string name = fmt::format("bert.encoder.layer.{}.", index);
    const int64_t site = (index + 1) * kSitesPerLayer;
    const auto attended =
        linear(attention(hidden, name + "attention.self.", site), name + "attention.output.dense");
    const auto middle =
        norm(dropout_add(attended, hidden, token_keys(site + kAttentionOutputSite), options_.hidden_dropout),
             name + "attention.output.LayerNorm");
    const auto wide = at::gelu(linear(middle, name + "intermediate.dense"));
    return norm(dropout_add(linear(wide, name + "output.dense"), middle, token_keys(site + kFfnOutputSite),
                            options_.hidden_dropout),
                name + "output.LayerNorm");
  }

  const Parameters& parameters_;
  const BertConfig& config_;
  const PackedBatch& batch_;
  const ForwardOptions& options_;
};

}  // namespace

PackedBatch pack(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
                 int64_t first_sequence) {
  PackedBatch batch;
  std::vector<int64_t> ids, types, positions;
  for (const int64_t index : chosen) {
    const auto& feature = features[static_cast<size_t>(index)];
    const auto length = static_cast<int64_t>(feature.input_ids.size());
    for (int64_t p = 0; p < length; ++p) {
      ids.push_back(feature.input_ids[static_cast<size_t>(p)]);
      types.push_back(p >= feature.context_begin ? 1 : 0);
      positions.push_back(p);
    }
    batch.lengths.push_back(length);
    batch.sequences.push_back(first_sequence++);
  }
  batch.input_ids = torch::tensor(ids, torch::kLong);
  batch.token_types = torch::tensor(types, torch::kLong);
  batch.positions = torch::tensor(positions, torch::kLong);
  return batch;
}

torch::Tensor forward(const Parameters& parameters, const BertConfig& config, const PackedBatch& batch,
                      const ForwardOptions& options) {
  return Pass(parameters, config, batch, options).run();
}

torch::Tensor loss_sum(const torch::Tensor& logits, const std::vector<int64_t>& lengths,
                       const std::vector<int64_t>& starts, const std::vector<int64_t>& ends) {
  std::vector<torch::Tensor> losses;
  const auto pieces = logits.split_with_sizes(lengths, 0);
  for (size_t s = 0; s < pieces.size(); ++s) {
    const int64_t left_out = lengths[s];
    const auto clamped = [&](int64_t position) { return std::clamp<int64_t>(position, 0, left_out); };
    const auto targets = torch::tensor({clamped(starts[s]), clamped(ends[s])}, torch::kLong);
    losses.push_back(
        at::cross_entropy_loss(pieces[s].transpose(0, 1), targets, {}, at::Reduction::Sum, left_out) / 2);
  }
  return at::stack(losses).sum();
}

}  // namespace expctl
