// The gradients of a step, summed over all ranks while the backward pass goes on.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/gradients.h"
#include "trainer/ranks.h"

namespace expctl {

/// 25 MB: so many bytes of one sum Open MPI moves fastest, and enough of them are left to overlap.
constexpr int64_t kBucketFloats = 6'250'000;

/// A rank alone has nothing to do here. Every rank cuts the gradients into the same buckets, whatever it
/// computes.
class GradientSum {
 public:
  /// The references are kept. `layers` are the model's.
  GradientSum(Ranks& ranks, Gradients& gradients, int64_t layers, int64_t bucket_floats = kBucketFloats);

  /// What a backward pass of the step's last micro-batch has completed with this layer may be sent.
  void after_layer(int64_t layer);

  /// Rows of the word embeddings' gradient so far, summed, one after the other: [rows, hidden]. Of the
  /// gradients themselves nothing is summed yet; nothing of them may be on its way.
  std::vector<float> sum_of_words(const std::vector<int64_t>& word_rows);

  /// Sums what is left. `word_rows` are the words of all ranks' shares, in order. Waits; then all gradients
  /// have the same bits on every rank, and the next step may begin.
  void finish(const std::vector<int64_t>& word_rows);

 private:
  void begin_until(int64_t end);

  Ranks& ranks_;
  Gradients& gradients_;
  int64_t layers_;
  int64_t bucket_floats_;
  int64_t begun_ = 0;  ///< of the dense gradients
};

}  // namespace expctl
