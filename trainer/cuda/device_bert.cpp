#include "trainer/cuda/device_bert.h"

#include <fmt/core.h>

#include <algorithm>

#include "trainer/dropout.h"
#include "trainer/model_sites.h"

namespace expctl::cuda {
namespace {

template <typename T>
constexpr const T* kNoBias = nullptr;  ///< the next kernel adds it

Mask mask_of(double rate) {
  return rate == 0 ? Mask{} : dropout_mask(rate);
}

/// Floats for the partial sums of a layer's backward pass, each after the other, or of the embeddings'.
int64_t partial_floats(const BertConfig& config) {
  return kMostParts * (3 * config.hidden_size + config.intermediate_size + 3 * config.hidden_size +
                       3 * config.hidden_size + 2);
}

}  // namespace

void check_computable(const BertConfig& config) {
  const auto refuse = [](const std::string& what) {
    throw Error("a GPU does not compute models with " + what,
                "set gpus = 0; for a prediction CUDA_VISIBLE_DEVICES= (empty) in its environment");
  };
  if (config.hidden_size % 8 != 0 || config.hidden_size > kMostHidden)
    refuse(fmt::format("a hidden size of {} (up to {}, a multiple of 8)", config.hidden_size, kMostHidden));
  if (config.head_size() % 8 != 0 || config.head_size() > 128)
    refuse(fmt::format("heads of {} (up to 128, a multiple of 8)", config.head_size()));
  if (config.intermediate_size % 8 != 0)
    refuse(fmt::format("an intermediate size of {} (a multiple of 8)", config.intermediate_size));
  if (config.type_vocab_size != 2) refuse(fmt::format("{} token types (2)", config.type_vocab_size));
}

template <typename T>
DeviceBert<T>::DeviceBert(const BertConfig& config, const FlatLayout& layout, const float* exact,
                          const T* rounded, int64_t most_rows, bool to_train, cudaStream_t stream)
    : config_(config),
      layout_(layout),
      exact_(exact),
      rounded_(rounded),
      most_rows_(most_rows),
      to_train_(to_train),
      stream_(stream),
      products_(stream) {
  const int64_t hidden = config.hidden_size, wide = config.intermediate_size;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string name = fmt::format("bert.encoder.layer.{}.", i);
    const auto at = [&](const char* rest) { return layout.offset_of(name + rest); };
    places_.push_back({at("attention.self.query.weight"), at("attention.self.query.bias"),
                       at("attention.output.dense.weight"), at("attention.output.dense.bias"),
                       at("attention.output.LayerNorm.weight"), at("attention.output.LayerNorm.bias"),
                       at("intermediate.dense.weight"), at("intermediate.dense.bias"),
                       at("output.dense.weight"), at("output.dense.bias"), at("output.LayerNorm.weight"),
                       at("output.LayerNorm.bias")});
  }
  const auto rows = [&](int64_t width) { return most_rows * width; };
  embedded_sum_ = DeviceBuffer<float>(rows(hidden));
  embedded_stats_ = DeviceBuffer<float>(rows(2));
  logits_ = DeviceBuffer<float>(rows(2));
  embedded_ = DeviceBuffer<T>(rows(hidden));
  projected_ = DeviceBuffer<T>(rows(hidden));
  if (has_mlp()) {
    head_pre_ = DeviceBuffer<T>(rows(hidden));
    head_out_ = DeviceBuffer<T>(rows(hidden));
  }
  layers_.resize(to_train ? places_.size() : 1);
  for (Layer& layer : layers_) {
    layer.qkv = DeviceBuffer<T>(rows(3 * hidden));
    layer.attended_sum = DeviceBuffer<T>(rows(hidden));
    layer.attended = DeviceBuffer<T>(rows(hidden));
    layer.pre = DeviceBuffer<T>(rows(wide));
    layer.wide = DeviceBuffer<T>(rows(wide));
    layer.output_sum = DeviceBuffer<T>(rows(hidden));
    layer.output = DeviceBuffer<T>(rows(hidden));
    layer.attended_stats = DeviceBuffer<float>(rows(2));
    layer.output_stats = DeviceBuffer<float>(rows(2));
    layer.context = DeviceBuffer<T>(rows(hidden));
    layer.log_sums = DeviceBuffer<float>(rows(config.num_attention_heads));
  }
  if (!to_train) return;
  space_.gradient = DeviceBuffer<T>(rows(hidden));
  space_.more = DeviceBuffer<T>(rows(hidden));
  space_.dsum = DeviceBuffer<T>(rows(hidden));
  space_.dx = DeviceBuffer<T>(rows(hidden));
  space_.wide = DeviceBuffer<T>(rows(wide));
  space_.context = DeviceBuffer<T>(rows(hidden));
  space_.qkv = DeviceBuffer<T>(rows(3 * hidden));
  space_.embedding_rows = DeviceBuffer<float>(rows(hidden));
  space_.along = DeviceBuffer<float>(rows(config.num_attention_heads));
  space_.partial = DeviceBuffer<float>(partial_floats(config));
  space_.sorting = DeviceBuffer<std::byte>(static_cast<int64_t>(sort_bytes(most_rows)));
}

template <typename T>
DropoutSite DeviceBert<T>::site(int64_t layer, int64_t of_layer) const {
  return {first_site_of(layer) + of_layer, mask_of(dropout_.hidden)};
}

template <typename T>
AttentionSizes DeviceBert<T>::attention_sizes(int64_t layer) const {
  return {config_.num_attention_heads, config_.head_size(), first_site_of(layer) + kHeadSite,
          mask_of(dropout_.attention)};
}

template <typename T>
const float* DeviceBert<T>::forward(const RowsOnDevice& rows, const DropoutRates& dropout,
                                    const float* words) {
  rows_ = rows;
  dropout_ = dropout;
  const auto at = [&](const char* name) { return exact_ + layout_.offset_of(name); };
  const EmbeddingTables tables{words != nullptr ? words : at("bert.embeddings.word_embeddings.weight"),
                               at("bert.embeddings.token_type_embeddings.weight"),
                               at("bert.embeddings.position_embeddings.weight"),
                               at("bert.embeddings.LayerNorm.weight"),
                               at("bert.embeddings.LayerNorm.bias"),
                               static_cast<float>(config_.layer_norm_eps)};
  embed(rows, tables, {kEmbeddingSite, mask_of(dropout.hidden)}, config_.hidden_size, embedded_sum_.data(),
        embedded_stats_.data(), embedded_.data(), stream_);
  const T* hidden = embedded_.data();
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) hidden = layer_forward(i, hidden);
  last_ = head_input_ = hidden;
  if (has_mlp()) {
    const int64_t width = config_.hidden_size;
    products_.forward(last_, rounded_ + layout_.offset_of("qa_head.dense.weight"), kNoBias<T>, rows.rows,
                      width, width, head_pre_.data());
    bias_gelu(head_pre_.data(), at("qa_head.dense.bias"), rows.rows, width, head_out_.data(), stream_);
    head_input_ = head_out_.data();
  }
  span_logits(head_input_, at("qa_outputs.weight"), at("qa_outputs.bias"), rows.rows, config_.hidden_size,
              logits_.data(), stream_);
  return logits_.data();
}

template <typename T>
const T* DeviceBert<T>::layer_forward(int64_t index, const T* hidden) {
  Layer& a = activations_of(index);
  const Places& p = places_[static_cast<size_t>(index)];
  const int64_t width = config_.hidden_size, wide = config_.intermediate_size, rows = rows_.rows;
  const auto epsilon = static_cast<float>(config_.layer_norm_eps);
  a.input = hidden;
  products_.forward(hidden, rounded_ + p.qkv, rounded_ + p.qkv_bias, rows, width, 3 * width, a.qkv.data());
  attention(a.qkv.data(), rows_, attention_sizes(index), a.context.data(), a.log_sums.data(), stream_);
  products_.forward(a.context.data(), rounded_ + p.attention_output, kNoBias<T>, rows, width, width,
                    projected_.data());
  add_norm(projected_.data(), exact_ + p.attention_bias, hidden, rows_, site(index, kAttentionOutputSite),
           exact_ + p.attention_norm, exact_ + p.attention_norm_bias, epsilon, width, a.attended_sum.data(),
           a.attended_stats.data(), a.attended.data(), stream_);
  products_.forward(a.attended.data(), rounded_ + p.intermediate, kNoBias<T>, rows, width, wide,
                    a.pre.data());
  bias_gelu(a.pre.data(), exact_ + p.intermediate_bias, rows, wide, a.wide.data(), stream_);
  products_.forward(a.wide.data(), rounded_ + p.output, kNoBias<T>, rows, wide, width, projected_.data());
  add_norm(projected_.data(), exact_ + p.output_bias, a.attended.data(), rows_, site(index, kFfnOutputSite),
           exact_ + p.norm, exact_ + p.norm_bias, epsilon, width, a.output_sum.data(), a.output_stats.data(),
           a.output.data(), stream_);
  return a.output.data();
}

template <typename T>
void DeviceBert<T>::backward(const float* dlogits, int64_t real_sequences, bool add, float* gradients,
                             const std::function<void(int64_t)>& after_layer) {
  const auto to = [&](const char* name) { return gradients + layout_.offset_of(name); };
  const int64_t width = config_.hidden_size;
  float* partial = space_.partial.data();
  head_backward(dlogits, add, gradients);
  for (int64_t i = config_.num_hidden_layers; i-- > 0;) {
    layer_backward(i, add, gradients);
    after_layer(i);
  }

  embed_gradient(space_.gradient.data(), space_.more.data(), rows_, embedded_sum_.data(),
                 embedded_stats_.data(), {kEmbeddingSite, mask_of(dropout_.hidden)},
                 exact_ + layout_.offset_of("bert.embeddings.LayerNorm.weight"), width,
                 space_.embedding_rows.data(), partial, stream_);
  const auto columns = static_cast<int32_t>(width), pitch = 2 * columns;
  const PartialSums of_norm[] = {
      {partial, norm_parts(), pitch, columns, to("bert.embeddings.LayerNorm.weight")},
      {partial + width, norm_parts(), pitch, columns, to("bert.embeddings.LayerNorm.bias")}};
  sum_partials(of_norm, 2, add, stream_);
  float* words = to("bert.embeddings.word_embeddings.weight");
  if (!add) {
    check(
        cudaMemsetAsync(words, 0, static_cast<size_t>(config_.vocab_size * width) * sizeof(float), stream_));
  }
  table_gradients(space_.embedding_rows.data(), rows_, real_sequences, config_.vocab_size,
                  config_.max_position_embeddings, width, add, words,
                  to("bert.embeddings.token_type_embeddings.weight"),
                  to("bert.embeddings.position_embeddings.weight"), space_.sorting.data(), partial, stream_);
}

/// space_.gradient becomes that by the last layer's output.
template <typename T>
void DeviceBert<T>::head_backward(const float* dlogits, bool add, float* gradients) {
  const auto at = [&](const char* name) { return layout_.offset_of(name); };
  const int64_t width = config_.hidden_size, rows = rows_.rows;
  const auto columns = static_cast<int32_t>(width), pitch = 2 * columns;
  T* by_input = has_mlp() ? space_.dx.data() : space_.gradient.data();
  float* partial = space_.partial.data();
  span_logits_gradient(dlogits, head_input_, exact_ + at("qa_outputs.weight"), rows, width, by_input, partial,
                       stream_);
  const PartialSums of_outputs[] = {
      {partial, norm_parts(), pitch + 2, pitch, gradients + at("qa_outputs.weight")},
      {partial + pitch, norm_parts(), pitch + 2, 2, gradients + at("qa_outputs.bias")}};
  sum_partials(of_outputs, 2, add, stream_);
  if (!has_mlp()) return;
  bias_gelu_gradient(by_input, head_pre_.data(), exact_ + at("qa_head.dense.bias"), rows, width, partial,
                     stream_);
  const PartialSums of_dense = {partial, column_parts(width), columns, columns,
                                gradients + at("qa_head.dense.bias")};
  sum_partials(&of_dense, 1, add, stream_);
  const int64_t weight = at("qa_head.dense.weight");
  products_.weight_gradient(by_input, last_, rows, width, width, add, gradients + weight);
  products_.input_gradient(by_input, rounded_ + weight, rows, width, width, space_.gradient.data());
}

template <typename T>
void DeviceBert<T>::layer_backward(int64_t index, bool add, float* gradients) {
  Layer& a = activations_of(index);
  const Places& p = places_[static_cast<size_t>(index)];
  const int64_t width = config_.hidden_size, wide = config_.intermediate_size, rows = rows_.rows;
  const bool is_last = index + 1 == config_.num_hidden_layers;
  float* of_output = space_.partial.data();
  float* of_wide = of_output + kMostParts * 3 * width;
  float* of_attention = of_wide + kMostParts * wide;
  float* of_qkv = of_attention + kMostParts * 3 * width;

  add_norm_gradient(space_.gradient.data(), is_last ? nullptr : space_.more.data(), a.output_sum.data(),
                    a.output_stats.data(), rows_, site(index, kFfnOutputSite), exact_ + p.norm, width,
                    space_.dsum.data(), space_.dx.data(), of_output, stream_);
  std::swap(space_.gradient, space_.dsum);
  products_.weight_gradient(space_.dx.data(), a.wide.data(), rows, wide, width, add, gradients + p.output);
  products_.input_gradient(space_.dx.data(), rounded_ + p.output, rows, wide, width, space_.wide.data());
  bias_gelu_gradient(space_.wide.data(), a.pre.data(), exact_ + p.intermediate_bias, rows, wide, of_wide,
                     stream_);
  products_.weight_gradient(space_.wide.data(), a.attended.data(), rows, width, wide, add,
                            gradients + p.intermediate);
  products_.input_gradient(space_.wide.data(), rounded_ + p.intermediate, rows, width, wide,
                           space_.more.data());

  add_norm_gradient(space_.gradient.data(), space_.more.data(), a.attended_sum.data(),
                    a.attended_stats.data(), rows_, site(index, kAttentionOutputSite),
                    exact_ + p.attention_norm, width, space_.dsum.data(), space_.dx.data(), of_attention,
                    stream_);
  std::swap(space_.gradient, space_.dsum);
  products_.weight_gradient(space_.dx.data(), a.context.data(), rows, width, width, add,
                            gradients + p.attention_output);
  products_.input_gradient(space_.dx.data(), rounded_ + p.attention_output, rows, width, width,
                           space_.context.data());
  attention_gradient(space_.context.data(), a.qkv.data(), a.context.data(), a.log_sums.data(), rows_,
                     attention_sizes(index), space_.along.data(), space_.qkv.data(), stream_);
  column_sums(space_.qkv.data(), rows, 3 * width, of_qkv, stream_);
  products_.weight_gradient(space_.qkv.data(), a.input, rows, width, 3 * width, add, gradients + p.qkv);
  products_.input_gradient(space_.qkv.data(), rounded_ + p.qkv, rows, width, 3 * width, space_.more.data());

  const auto columns = static_cast<int32_t>(width);
  const auto norm_sums = [&](float* partial, int64_t which, int64_t place) {
    return PartialSums{partial + which * width, norm_parts(), 3 * columns, columns, gradients + place};
  };
  const PartialSums sums[] = {
      norm_sums(of_output, 0, p.norm),
      norm_sums(of_output, 1, p.norm_bias),
      norm_sums(of_output, 2, p.output_bias),
      {of_wide, column_parts(wide), static_cast<int32_t>(wide), static_cast<int32_t>(wide),
       gradients + p.intermediate_bias},
      norm_sums(of_attention, 0, p.attention_norm),
      norm_sums(of_attention, 1, p.attention_norm_bias),
      norm_sums(of_attention, 2, p.attention_bias),
      {of_qkv, column_parts(3 * width), 3 * columns, 3 * columns, gradients + p.qkv_bias}};
  sum_partials(sums, static_cast<int>(std::size(sums)), add, stream_);
}

template class DeviceBert<float>;
template class DeviceBert<__nv_bfloat16>;
template class DeviceBert<__half>;

}  // namespace expctl::cuda
