// BERT for question answering over packed sequences: only real tokens, [T, hidden], no padding anywhere.
//
// Source: Devlin et al. 2018 as transformers' BertForQuestionAnswering computes it (post-LN, exact GELU, no
// pooler); where the config says so, a dense layer with GELU between the last hidden states and qa_outputs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "formats/bert_config.h"
#include "trainer/dropout.h"
#include "trainer/gradients.h"
#include "trainer/packed_batch.h"
#include "trainer/parameters.h"
#include "trainer/precision.h"

namespace expctl {

/// Rates of 0 switch dropout off.
struct ForwardOptions {
  double hidden_dropout = 0;
  double attention_dropout = 0;
  DropoutKey dropout;
};

/// A model's computation, with the memory that it needs, which is kept from batch to batch.
class Predictor {
 public:
  virtual ~Predictor() = default;

  /// Takes over the parameters' values: they may be changed or freed afterwards, but for those of embeddings,
  /// biases and LayerNorm, which are read where they are.
  virtual void set_parameters(const Parameters& parameters) = 0;

  /// Start and end logits, [T, 2]; they stay until the next call.
  virtual const std::vector<float>& forward(const PackedBatch& batch, const ForwardOptions& options) = 0;
};

/// One that can be trained, too.
class Model : public Predictor {
 public:
  /// As forward(), and keeps what backward() needs. `batch` must live until then.
  virtual const std::vector<float>& forward_to_train(const PackedBatch& batch,
                                                     const ForwardOptions& options) = 0;

  /// Adds to the gradients those of a loss whose gradient by the last logits is `logit_gradient` [T, 2].
  /// `on_layer` is called when those of a layer, and of all behind it, are complete: for the last layer
  /// first, and not for the embeddings.
  virtual void backward(const std::vector<float>& logit_gradient, Gradients& gradients,
                        const std::function<void(int64_t layer)>& on_layer = {}) = 0;
};

/// On the CPU. Products and activations in `precision`; sums, LayerNorm's and softmax's insides, the
/// embeddings and the logits are fp32 in each. The result is the same for any number of threads.
std::unique_ptr<Model> make_cpu_model(const BertConfig& config, Precision precision);

}  // namespace expctl
