// BERT's embeddings: the sum of word, type and position, LayerNorm and dropout, in fp32.
#pragma once

#include "formats/bert_config.h"
#include "trainer/gradients.h"
#include "trainer/rows.h"

namespace expctl {

class Embeddings {
 public:
  /// [T, hidden]; kept for backward().
  const float* forward(const Parameters& parameters, const BertConfig& config, const PackedBatch& batch,
                       const RowDropout& dropout);

  /// `gradient` by the result; it is overwritten.
  void backward(const Parameters& parameters, const BertConfig& config, const PackedBatch& batch,
                const RowDropout& dropout, float* gradient, Gradients& gradients);

 private:
  Buffer<float> sum_, dsum_;
  NormActivations<float> norm_;
  std::vector<float> partial_;
};

}  // namespace expctl
