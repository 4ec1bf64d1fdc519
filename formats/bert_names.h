// The names and shapes of a question-answering BERT's tensors, as transformers writes them, and as Google's
// run_squad.py does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bert_config.h"

namespace expctl {

struct TensorShape {
  std::string name;  ///< with "bert." in front, or of the span head
  std::vector<int64_t> shape;
};

/// Every tensor of BertForQuestionAnswering, in the order of its layers; the span head (qa_head.dense.* where
/// it is an MLP, qa_outputs.*) comes last.
std::vector<TensorShape> bert_tensors(const BertConfig& config);

/// The name with "bert." in front, whether the file has it or not; "" for what a question-answering model has
/// no use for (position_ids, the pooler, pre-training heads "cls.*").
std::string canonical_bert_name(std::string_view name);

/// What Google's TensorFlow code calls a tensor.
struct GoogleName {
  std::string name;
  bool transposed = false;  ///< a linear layer's "kernel" is [in, out], its weight [out, in]
};

/// "bert.encoder.layer.0.output.dense.weight" to "bert/encoder/layer_0/output/dense/kernel". `canonical` is a
/// name of bert_tensors().
GoogleName google_bert_name(std::string_view canonical);

/// Whether a canonical name is of a span head, linear or not, which a model that is not fine-tuned lacks.
bool is_span_head(std::string_view name);

/// The encoder layer (from 0) that a canonical name is of; nothing for embeddings and the head.
std::optional<int64_t> encoder_layer_of(std::string_view name);

/// Whether weight decay leaves the tensor alone: biases and LayerNorm.
bool is_bias_or_norm(std::string_view name);

}  // namespace expctl
