#include "formats/tiny_bert.h"

#include <fmt/core.h>

#include <cmath>

#include "core/counter_random.h"
#include "core/text.h"
#include "formats/bert_folder.h"

namespace expctl {
namespace {

constexpr double kDeviation = 0.08;

/// The tensors of a model, made one after the other from one stream of random numbers.
class Weights {
 public:
  explicit Weights(uint64_t seed) : random_(seed) {}

  void normal(const std::string& name, int64_t rows, int64_t columns) {
    auto& values = add(name, {rows, columns});
    for (auto& value : values) value = static_cast<float>(kDeviation * random_.normal());
  }

  void constant(const std::string& name, int64_t size, float value) {
    add(name, {size}).assign(static_cast<size_t>(size), value);
  }

  void linear(const std::string& name, int64_t out, int64_t in) {
    normal(name + ".weight", out, in);
    constant(name + ".bias", out, 0.0f);
  }

  void layer_norm(const std::string& name, int64_t size) {
    constant(name + ".weight", size, 1.0f);
    constant(name + ".bias", size, 0.0f);
  }

  /// Sines and cosines of falling frequency, with the same variance as the other embeddings.
  void sinusoids(const std::string& name, int64_t positions, int64_t size) {
    auto& values = add(name, {positions, size});
    for (int64_t p = 0; p < positions; ++p) {
      for (int64_t i = 0; i < size; ++i) {
        const double angle = static_cast<double>(p) *
                             std::pow(10000.0, -static_cast<double>(i / 2 * 2) / static_cast<double>(size));
        const double wave = i % 2 == 0 ? std::sin(angle) : std::cos(angle);
        values[static_cast<size_t>(p * size + i)] = static_cast<float>(kDeviation * std::sqrt(2.0) * wave);
      }
    }
  }

  std::map<std::string, TensorView> views() const {
    std::map<std::string, TensorView> views;
    for (const auto& [name, tensor] : tensors_) views.emplace(name, view_of(tensor.second, tensor.first));
    return views;
  }

 private:
  std::vector<float>& add(const std::string& name, std::vector<int64_t> shape) {
    auto& [stored_shape, values] = tensors_[name];
    int64_t count = 1;
    for (const int64_t n : shape) count *= n;
    values.resize(static_cast<size_t>(count));
    stored_shape = std::move(shape);
    return values;
  }

  CounterRandom random_;
  std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>> tensors_;
};

void add_layer(Weights& weights, const std::string& layer, const TinyBertSize& size) {
  for (const char* part : {"query", "key", "value"})
    weights.linear(layer + "attention.self." + part, size.hidden, size.hidden);
  weights.linear(layer + "attention.output.dense", size.hidden, size.hidden);
  weights.layer_norm(layer + "attention.output.LayerNorm", size.hidden);
  weights.linear(layer + "intermediate.dense", size.intermediate, size.hidden);
  weights.linear(layer + "output.dense", size.hidden, size.intermediate);
  weights.layer_norm(layer + "output.LayerNorm", size.hidden);
}

}  // namespace

void write_tiny_bert(const std::filesystem::path& folder, const std::vector<std::string>& vocabulary,
                     uint64_t seed, const TinyBertSize& size) {
  const auto words = static_cast<int64_t>(vocabulary.size());
  Weights weights(seed);
  weights.normal("bert.embeddings.word_embeddings.weight", words, size.hidden);
  weights.sinusoids("bert.embeddings.position_embeddings.weight", size.max_position, size.hidden);
  weights.normal("bert.embeddings.token_type_embeddings.weight", 2, size.hidden);
  weights.layer_norm("bert.embeddings.LayerNorm", size.hidden);
  for (int i = 0; i < size.layers; ++i) add_layer(weights, fmt::format("bert.encoder.layer.{}.", i), size);

  BertConfig config;
  config.vocab_size = words;
  config.hidden_size = size.hidden;
  config.num_hidden_layers = size.layers;
  config.num_attention_heads = size.heads;
  config.intermediate_size = size.intermediate;
  config.max_position_embeddings = size.max_position;
  write_bert_folder(folder, config, join(vocabulary, "\n") + "\n", weights.views());
}

}  // namespace expctl
