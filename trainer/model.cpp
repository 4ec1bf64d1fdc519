#include "trainer/model.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/tiles.h"
#include "trainer/embeddings.h"
#include "trainer/linear.h"
#include "trainer/model_sites.h"
#include "trainer/rows.h"
#include "trainer/self_attention.h"

namespace expctl {
namespace {

/// What a layer computes and its backward pass needs again; T rows each.
template <typename T>
struct LayerActivations {
  Buffer<T> qkv;           ///< [T, 3 hidden]
  Buffer<float> log_sums;  ///< [heads, T]
  Buffer<T> context;       ///< [T, hidden]
  NormActivations<T> attended, output;
  Buffer<T> pre, wide;  ///< [T, intermediate]: before and after GELU
};

template <typename T>
struct LayerWeights {
  std::string name;
  PackedWeights<T> qkv, attention_output, intermediate, output;
};

/// Memory of a backward pass.
template <typename T>
struct BackwardSpace {
  Buffer<float> hidden_rows, more_rows;  ///< [T, hidden] in fp32
  Buffer<T> gradient, more;              ///< by the layer's output: their sum
  Buffer<T> dsum, dx, wide, context, qkv;
  WeightGradientSpace weights;
  std::vector<float> partial;
};

template <typename T>
class Bert : public Model {
 public:
  explicit Bert(const BertConfig& config)
      : config_(config), layers_(static_cast<size_t>(config.num_hidden_layers)) {
    for (size_t i = 0; i < layers_.size(); ++i) layers_[i].name = fmt::format("bert.encoder.layer.{}.", i);
  }

  void set_parameters(const Parameters& parameters) override {
    parameters_ = &parameters;
    const int64_t hidden = config_.hidden_size, wide = config_.intermediate_size;
    for (auto& layer : layers_) {
      const std::string self = layer.name + "attention.self.";
      layer.qkv.pack({get(self + "query.weight"), get(self + "key.weight"), get(self + "value.weight")},
                     hidden, hidden);
      layer.attention_output.pack({get(layer.name + "attention.output.dense.weight")}, hidden, hidden);
      layer.intermediate.pack({get(layer.name + "intermediate.dense.weight")}, wide, hidden);
      layer.output.pack({get(layer.name + "output.dense.weight")}, hidden, wide);
    }
    if (has_mlp()) head_dense_.pack({get("qa_head.dense.weight")}, hidden, hidden);
    head_.pack({get("qa_outputs.weight")}, 2, hidden);
  }

  const std::vector<float>& forward(const PackedBatch& batch, const ForwardOptions& options) override {
    return run(batch, options, false);
  }
  const std::vector<float>& forward_to_train(const PackedBatch& batch,
                                             const ForwardOptions& options) override {
    return run(batch, options, true);
  }

  void backward(const std::vector<float>& logit_gradient, Gradients& gradients,
                const std::function<void(int64_t layer)>& on_layer) override {
    gradients_ = &gradients;
    add_ = !gradients.is_empty();
    head_backward(logit_gradient);
    for (int64_t i = config_.num_hidden_layers; i-- > 0;) {
      layer_backward(i);
      if (on_layer) on_layer(i);
    }
    embeddings_backward(gradients);
    gradients.mark_added(batch_->input_ids);
  }

 private:
  bool has_mlp() const { return config_.head == SpanHead::kMlp; }

  const float* get(const std::string& name) const { return parameters_->at(name).template data_ptr<float>(); }
  float* gradient(const std::string& name) const { return gradients_->data(name); }

  RowDropout dropout(int64_t site) const {
    return row_dropout(*batch_, options_.dropout, site, options_.hidden_dropout);
  }

  AttentionShape attention_shape(int64_t layer) const {
    return {batch_,           config_.num_attention_heads,      config_.head_size(),
            options_.dropout, first_site_of(layer) + kHeadSite, options_.attention_dropout};
  }

  NormParameters norm(const std::string& name) const {
    return {get(name + ".weight"), get(name + ".bias"), static_cast<float>(config_.layer_norm_eps),
            config_.hidden_size};
  }

  const std::vector<float>& run(const PackedBatch& batch, const ForwardOptions& options, bool to_train) {
    batch_ = &batch;
    options_ = options;
    rows_ = static_cast<int64_t>(batch.input_ids.size());
    activations_.resize(to_train ? layers_.size() : std::max<size_t>(activations_.size(), 1));
    const int64_t width = config_.hidden_size;
    const float* embedded = embeddings_.forward(*parameters_, config_, batch, dropout(kEmbeddingSite));
    T* first = embedded_.resize(rows_ * width);
    convert_rows(embedded, first, rows_ * width);
    const T* hidden = first;
    for (int64_t i = 0; i < config_.num_hidden_layers; ++i)
      hidden = layer_forward(i, hidden, activations_[to_train ? static_cast<size_t>(i) : 0], to_train);
    if (has_mlp()) {
      T* dense = head_wide_.resize(rows_ * width);
      linear_gelu(hidden, rows_, head_dense_, get("qa_head.dense.bias"),
                  to_train ? head_pre_.resize(rows_ * width) : nullptr, dense);
      hidden = dense;
    }
    float* last = last_hidden_.resize(rows_ * width);
    convert_rows(hidden, last, rows_ * width);
    logits_.resize(static_cast<size_t>(rows_ * 2));
    linear(last, rows_, head_, {get("qa_outputs.bias")}, logits_.data());
    return logits_;
  }

  const T* layer_forward(int64_t index, const T* hidden, LayerActivations<T>& a, bool to_train) {
    const LayerWeights<T>& w = layers_[static_cast<size_t>(index)];
    const int64_t width = config_.hidden_size, wide = config_.intermediate_size;
    const std::string self = w.name + "attention.self.";
    linear(hidden, rows_, w.qkv, {get(self + "query.bias"), get(self + "key.bias"), get(self + "value.bias")},
           a.qkv.resize(rows_ * 3 * width));
    self_attention(attention_shape(index), a.qkv.data(), a.context.resize(rows_ * width),
                   a.log_sums.resize(rows_ * config_.num_attention_heads));
    T* projected = projected_.resize(rows_ * width);
    linear(a.context.data(), rows_, w.attention_output, {get(w.name + "attention.output.dense.bias")},
           projected);
    add_norm(projected, hidden, dropout(first_site_of(index) + kAttentionOutputSite),
             norm(w.name + "attention.output.LayerNorm"), rows_, a.attended);
    linear_gelu(a.attended.out.data(), rows_, w.intermediate, get(w.name + "intermediate.dense.bias"),
                to_train ? a.pre.resize(rows_ * wide) : nullptr, a.wide.resize(rows_ * wide));
    linear(a.wide.data(), rows_, w.output, {get(w.name + "output.dense.bias")}, projected);
    add_norm(projected, a.attended.out.data(), dropout(first_site_of(index) + kFfnOutputSite),
             norm(w.name + "output.LayerNorm"), rows_, a.output);
    return a.output.out.data();
  }

  /// The last layer's output is the input of the one that there is not.
  const T* input_of(int64_t layer) const {
    return layer == 0 ? embedded_.data() : activations_[static_cast<size_t>(layer - 1)].output.out.data();
  }

  void head_backward(const std::vector<float>& logit_gradient) {
    const int64_t width = config_.hidden_size;
    weight_gradient(logit_gradient.data(), {gradients_of("qa_outputs")}, 2, last_hidden_.data(), width);
    float* rows = space_.hidden_rows.resize(rows_ * width);
    const float* pre = nullptr;
    if (has_mlp()) {
      float* exact = space_.more_rows.resize(rows_ * width);
      convert_rows(head_pre_.data(), exact, rows_ * width);
      pre = exact;
    }
    linear_input_gradient<float>(logit_gradient.data(), rows_, head_, pre, rows);
    convert_rows(rows, space_.gradient.resize(rows_ * width), rows_ * width);
    if (has_mlp()) head_dense_backward();
    std::fill_n(space_.more.resize(rows_ * width), rows_ * width, T{});
  }

  /// From the gradient by the dense layer's sums to that by the last layer's output.
  void head_dense_backward() {
    const int64_t width = config_.hidden_size;
    std::swap(space_.gradient, space_.dx);
    weight_gradient(space_.dx.data(), {gradients_of("qa_head.dense")}, width,
                    input_of(config_.num_hidden_layers), width);
    linear_input_gradient<T>(space_.dx.data(), rows_, head_dense_, nullptr,
                             space_.gradient.resize(rows_ * width));
  }

  void embeddings_backward(Gradients& gradients) {
    const int64_t count = rows_ * config_.hidden_size;
    float* sum = space_.hidden_rows.resize(count);
    float* more = space_.more_rows.resize(count);
    convert_rows(space_.gradient.data(), sum, count);
    convert_rows(space_.more.data(), more, count);
    for (int64_t i = 0; i < count; ++i) sum[i] += more[i];
    embeddings_.backward(*parameters_, config_, *batch_, dropout(kEmbeddingSite), sum, gradients);
  }

  LinearGradient gradients_of(const std::string& name) const {
    return {gradient(name + ".weight"), gradient(name + ".bias")};
  }

  template <typename Element>
  void weight_gradient(const Element* dy, const std::vector<LinearGradient>& parts, int64_t out_of_each,
                       const Element* x, int64_t in) {
    const auto squares = linear_weight_gradient(dy, parts, out_of_each, x, in, rows_, add_, space_.weights);
    for (size_t i = 0; i < parts.size(); ++i) gradients_->note_squares(parts[i].weight, squares[i]);
  }

  void layer_backward(int64_t index) {
    const LayerWeights<T>& w = layers_[static_cast<size_t>(index)];
    const LayerActivations<T>& a = activations_[static_cast<size_t>(index)];
    const int64_t width = config_.hidden_size, wide = config_.intermediate_size;
    T* dsum = space_.dsum.resize(rows_ * width);
    T* dx = space_.dx.resize(rows_ * width);
    const auto norm_backward = [&](const NormActivations<T>& kept, int64_t site, const std::string& name) {
      add_norm_gradient(space_.gradient.data(), space_.more.data(), kept,
                        dropout(first_site_of(index) + site), norm(name), rows_, add_, dsum, dx,
                        gradient(name + ".weight"), gradient(name + ".bias"), space_.partial);
      std::swap(space_.gradient, space_.dsum);
    };
    norm_backward(a.output, kFfnOutputSite, w.name + "output.LayerNorm");
    weight_gradient(dx, {gradients_of(w.name + "output.dense")}, width, a.wide.data(), wide);
    T* dwide = space_.wide.resize(rows_ * wide);
    linear_input_gradient(dx, rows_, w.output, a.pre.data(), dwide);
    weight_gradient(dwide, {gradients_of(w.name + "intermediate.dense")}, wide, a.attended.out.data(), width);
    linear_input_gradient<T>(dwide, rows_, w.intermediate, nullptr, space_.more.data());

    dsum = space_.dsum.resize(rows_ * width);
    norm_backward(a.attended, kAttentionOutputSite, w.name + "attention.output.LayerNorm");
    weight_gradient(dx, {gradients_of(w.name + "attention.output.dense")}, width, a.context.data(), width);
    T* dcontext = space_.context.resize(rows_ * width);
    linear_input_gradient<T>(dx, rows_, w.attention_output, nullptr, dcontext);
    T* dqkv = space_.qkv.resize(rows_ * 3 * width);
    self_attention_gradient(attention_shape(index), a.qkv.data(), a.context.data(), a.log_sums.data(),
                            dcontext, dqkv);
    const std::string self = w.name + "attention.self.";
    weight_gradient(dqkv,
                    {gradients_of(self + "query"), gradients_of(self + "key"), gradients_of(self + "value")},
                    width, input_of(index), width);
    linear_input_gradient<T>(dqkv, rows_, w.qkv, nullptr, space_.more.data());
  }

  const BertConfig config_;
  const Parameters* parameters_ = nullptr;
  std::vector<LayerWeights<T>> layers_;
  PackedWeights<T> head_dense_;
  PackedWeights<float> head_;

  const PackedBatch* batch_ = nullptr;
  ForwardOptions options_;
  int64_t rows_ = 0;
  Embeddings embeddings_;
  Buffer<T> embedded_;
  std::vector<LayerActivations<T>> activations_;  ///< of each layer; one for all without a backward pass
  Buffer<T> projected_;
  Buffer<T> head_pre_, head_wide_;  ///< of an MLP: before and after GELU
  Buffer<float> last_hidden_;       ///< what qa_outputs sees
  std::vector<float> logits_;

  Gradients* gradients_ = nullptr;
  bool add_ = false;
  BackwardSpace<T> space_;
};

}  // namespace

std::unique_ptr<Model> make_cpu_model(const BertConfig& config, Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return std::make_unique<Bert<float>>(config);
    case Precision::kBf16:
      return std::make_unique<Bert<Bf16>>(config);
    case Precision::kFp16:
      return std::make_unique<Bert<Fp16>>(config);
  }
  throw std::logic_error("no such precision");
}

}  // namespace expctl
