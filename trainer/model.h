// BERT for question answering over packed sequences: only real tokens, [T, hidden], no padding anywhere.
//
// Source: Devlin et al. 2018 as transformers' BertForQuestionAnswering computes it (post-LN, exact GELU, no
// pooler).
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "formats/bert_config.h"
#include "squad/features.h"
#include "trainer/dropout.h"
#include "trainer/precision.h"

namespace expctl {

/// Parameters by canonical name (formats/bert_names.h), fp32, in name order.
using Parameters = std::map<std::string, torch::Tensor>;

/// Sequences one after the other.
struct PackedBatch {
  torch::Tensor input_ids;         ///< i64 [T]
  torch::Tensor token_types;       ///< i64 [T]
  torch::Tensor positions;         ///< i64 [T], from 0 in each sequence
  std::vector<int64_t> lengths;    ///< [sequences]; their sum is T
  std::vector<int64_t> sequences;  ///< the feature's place in the step's batch: keys its dropout masks
};

PackedBatch pack(const std::vector<Feature>& features, const std::vector<int64_t>& chosen,
                 int64_t first_sequence);

/// Rates of 0 switch dropout off (prediction).
struct ForwardOptions {
  Precision precision = Precision::kFp32;  ///< sums inside LayerNorm and softmax are fp32 in each
  double hidden_dropout = 0;
  double attention_dropout = 0;
  DropoutKey dropout;
};

/// Start and end logits, fp32 [T, 2].
torch::Tensor forward(const Parameters& parameters, const BertConfig& config, const PackedBatch& batch,
                      const ForwardOptions& options);

/// Sum over the batch's sequences of the mean of start and end cross-entropy (over real tokens). Scalar,
/// fp32. As transformers clamps them, a position below 0 counts as 0, and one past the sequence's end is left
/// out: it adds nothing.
torch::Tensor loss_sum(const torch::Tensor& logits, const std::vector<int64_t>& lengths,
                       const std::vector<int64_t>& starts, const std::vector<int64_t>& ends);

}  // namespace expctl
