#include "trainer/embeddings.h"

#include <algorithm>
#include <string>

#include "core/tiles.h"

namespace expctl {
namespace {

constexpr const char* kNorm = "bert.embeddings.LayerNorm";
constexpr const char* kTypes = "bert.embeddings.token_type_embeddings.weight";
constexpr const char* kPositions = "bert.embeddings.position_embeddings.weight";
constexpr int64_t kColumnTile = 64;
constexpr int64_t kRowTile = 64;

const float* get(const Parameters& parameters, const std::string& name) {
  return parameters.at(name).data_ptr<float>();
}

NormParameters norm_of(const Parameters& parameters, const BertConfig& config) {
  return {get(parameters, std::string(kNorm) + ".weight"), get(parameters, std::string(kNorm) + ".bias"),
          static_cast<float>(config.layer_norm_eps), config.hidden_size};
}

}  // namespace

const float* Embeddings::forward(const Parameters& parameters, const BertConfig& config,
                                 const PackedBatch& batch, const RowDropout& dropout) {
  const int64_t width = config.hidden_size;
  const auto rows = static_cast<int64_t>(batch.input_ids.size());
  const float* words = get(parameters, kWordEmbeddings);
  const float* types = get(parameters, kTypes);
  const float* positions = get(parameters, kPositions);
  float* sum = sum_.resize(rows * width);
  for_each_range(rows, kRowTile, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const auto i = static_cast<size_t>(r);
      const float* word = words + batch.input_ids[i] * width;
      const float* type = types + batch.token_types[i] * width;
      const float* position = positions + batch.positions[i] * width;
      for (int64_t j = 0; j < width; ++j) sum[r * width + j] = word[j] + type[j] + position[j];
    }
  });
  add_norm<float>(sum, nullptr, {}, norm_of(parameters, config), rows, norm_);
  apply_dropout(norm_.out.data(), dropout, width);
  return norm_.out.data();
}

void Embeddings::backward(const Parameters& parameters, const BertConfig& config, const PackedBatch& batch,
                          const RowDropout& dropout, float* gradient, Gradients& gradients) {
  const int64_t width = config.hidden_size;
  const auto rows = static_cast<int64_t>(batch.input_ids.size());
  apply_dropout(gradient, dropout, width);
  float* dsum = dsum_.resize(rows * width);
  const bool add = !gradients.is_empty();
  add_norm_gradient<float>(gradient, nullptr, norm_, {}, norm_of(parameters, config), rows, add, dsum, dsum,
                           gradients.data(std::string(kNorm) + ".weight"),
                           gradients.data(std::string(kNorm) + ".bias"), partial_);
  float* words = gradients.data(kWordEmbeddings);  // zero where nothing has been added
  float* types = gradients.data(kTypes);
  float* positions = gradients.data(kPositions);
  if (!add) {
    std::fill_n(types, config.type_vocab_size * width, 0.0f);
    std::fill_n(positions, config.max_position_embeddings * width, 0.0f);
  }
  // Each thread some columns: rows that share a word are added in their order.
  for_each_range(width, kColumnTile, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = 0; r < rows; ++r) {
      const auto i = static_cast<size_t>(r);
      const float* from = dsum + r * width;
      float* word = words + batch.input_ids[i] * width;
      float* type = types + batch.token_types[i] * width;
      float* position = positions + batch.positions[i] * width;
      for (int64_t j = begin; j < end; ++j) {
        word[j] += from[j];
        type[j] += from[j];
        position[j] += from[j];
      }
    }
  });
}

}  // namespace expctl
