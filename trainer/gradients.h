// Gradients of all parameters, accumulated over the micro-batches of a step.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/parameters.h"

namespace expctl {

inline constexpr const char* kWordEmbeddings = "bert.embeddings.word_embeddings.weight";

/// Dense, but that of the word embeddings most rows are zero, and known to be.
class Gradients {
 public:
  explicit Gradients(const Parameters& parameters);

  /// For the next step.
  void clear();

  /// Whether nothing has been added since clear(): values of weights are then written, not added to.
  bool is_empty() const { return is_empty_; }
  /// What a backward pass has added is of these rows of the word embeddings, in any order.
  void mark_added(const std::vector<int64_t>& word_rows);

  const Parameters& values() const { return values_; }
  float* data(const std::string& name) const { return values_.at(name).data_ptr<float>(); }
  /// Those of the word embeddings that may be other than zero, in order.
  const std::vector<int64_t>& word_rows() const { return word_rows_; }

 private:
  Parameters values_;
  std::vector<int64_t> word_rows_;
  bool is_empty_ = true;
};

/// Norm of all gradients together. The same for any number of threads.
double gradient_norm(const Gradients& gradients);

/// What gradients are multiplied by, so that their norm is at most `max_norm` (0: 1), as PyTorch's
/// clip_grad_norm_.
double clip_scale(double norm, double max_norm);

}  // namespace expctl
