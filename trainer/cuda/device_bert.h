// BERT for question answering on a GPU, forward and backward written out as trainer/model.cpp has them for
// the CPU: the same sites and masks of dropout.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "formats/bert_config.h"
#include "trainer/cuda/device_memory.h"
#include "trainer/cuda/flat_layout.h"
#include "trainer/cuda/products.h"
#include "trainer/kernels/cuda_kernels.h"

namespace expctl::cuda {

/// Throws Error naming what of a model the kernels are not made for.
void check_computable(const BertConfig& config);

struct DropoutRates {
  double hidden = 0, attention = 0;
};

/// T as in trainer/kernels/cuda_kernels.h. All work is on `stream`, and none of it asks for memory, so that
/// it can be captured in a graph once it has been done.
template <typename T>
class DeviceBert {
 public:
  /// Computes up to `most_rows` rows at once. Parameters are in the layout's order: products and the bias of
  /// query, key and value take them from `rounded`, all else from `exact`; both must live as long.
  DeviceBert(const BertConfig& config, const FlatLayout& layout, const float* exact, const T* rounded,
             int64_t most_rows, bool to_train, cudaStream_t stream);

  /// Logits [rows, 2] on the device, until the next call. `words`, where not null, is in the place of the
  /// table of word embeddings.
  const float* forward(const RowsOnDevice& rows, const DropoutRates& dropout, const float* words = nullptr);

  /// Writes the gradients of all parameters, or adds to them, of a loss whose gradient by the last logits is
  /// `dlogits`: zero in the rows of all but the first `real_sequences`. after_layer(i) is called when the
  /// weights of layer i have theirs, from the last layer on.
  void backward(const float* dlogits, int64_t real_sequences, bool add, float* gradients,
                const std::function<void(int64_t)>& after_layer);

  int64_t most_rows() const { return most_rows_; }

 private:
  struct Layer {
    DeviceBuffer<T> qkv, context, attended_sum, attended, pre, wide, output_sum, output;
    DeviceBuffer<float> log_sums, attended_stats, output_stats;
    const T* input = nullptr;
  };
  struct Space {
    DeviceBuffer<T> gradient, more, dsum, dx, wide, context, qkv;
    DeviceBuffer<float> embedding_rows, partial, along;
    DeviceBuffer<std::byte> sorting;
  };
  /// Where a layer's parameters lie.
  struct Places {
    int64_t qkv, qkv_bias, attention_output, attention_bias, attention_norm, attention_norm_bias,
        intermediate, intermediate_bias, output, output_bias, norm, norm_bias;
  };

  DropoutSite site(int64_t layer, int64_t of_layer) const;
  AttentionSizes attention_sizes(int64_t layer) const;
  bool has_mlp() const { return config_.head == SpanHead::kMlp; }
  const T* layer_forward(int64_t index, const T* hidden);
  void head_backward(const float* dlogits, bool add, float* gradients);
  void layer_backward(int64_t index, bool add, float* gradients);
  Layer& activations_of(int64_t index) { return layers_[to_train_ ? static_cast<size_t>(index) : 0]; }

  const BertConfig config_;
  const FlatLayout& layout_;
  const float* exact_;
  const T* rounded_;
  const int64_t most_rows_;
  const bool to_train_;
  cudaStream_t stream_;
  Products products_;
  std::vector<Places> places_;

  DeviceBuffer<float> embedded_sum_, embedded_stats_, logits_;
  DeviceBuffer<T> embedded_, projected_;
  DeviceBuffer<T> head_pre_, head_out_;  ///< of a head that is an MLP: before and after GELU
  std::vector<Layer> layers_;            ///< one for all where no gradients will be wanted
  Space space_;

  RowsOnDevice rows_;
  DropoutRates dropout_;
  const T *last_ = nullptr, *head_input_ = nullptr;  ///< the last layer's output; what qa_outputs sees
};

}  // namespace expctl::cuda
