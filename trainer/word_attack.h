// The "fast gradient method" on word embeddings: a second pass sees them moved to where the loss grows
// fastest, and its gradients are added to those of the first.
//
// Source: Miyato, Dai, Goodfellow 2017 (Adversarial Training Methods for Semi-Supervised Text Classification,
// equation 5), as it is used on BERT: the table of word embeddings as a whole is what is moved, by
//     r = g / ||g||,   g the gradient of the batch's loss by the table, of all micro-batches and ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/parameters.h"

namespace expctl {

/// While it lives, the word embeddings are moved; then they have the bits again that they had before.
class WordAttack {
 public:
  /// `gradient` [rows, hidden] is that of these rows of `words` [words, hidden], zero elsewhere, times any
  /// positive number. Where it is all zero or not finite nothing is moved.
  WordAttack(const torch::Tensor& words, std::vector<int64_t> rows, std::vector<float> gradient);
  ~WordAttack();
  WordAttack(const WordAttack&) = delete;
  WordAttack& operator=(const WordAttack&) = delete;

 private:
  float* row(size_t i) const { return words_ + rows_[i] * width_; }

  float* words_;
  int64_t width_;
  std::vector<int64_t> rows_;  ///< that are moved
  std::vector<float> kept_;    ///< what they were: in the gradient's memory
};

}  // namespace expctl
