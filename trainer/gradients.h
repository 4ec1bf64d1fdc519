// Gradients of all parameters, accumulated over the micro-batches of a step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "trainer/parameters.h"

namespace expctl {

inline constexpr const char* kWordEmbeddings = "bert.embeddings.word_embeddings.weight";

/// Dense, but that of the word embeddings most rows are zero, and known to be.
///
/// The others lie in one piece, in the order in which a backward pass completes them: the head, the last
/// layer, ..., the first, then what belongs to no layer; so that its beginning can be sent to other ranks
/// while the rest is computed.
class Gradients {
 public:
  explicit Gradients(const Parameters& parameters);

  /// For the next step.
  void clear();
  /// Of a step to which nothing is added: zero everywhere.
  void set_zero();

  /// Whether nothing has been added since clear(): values of weights are then written, not added to.
  bool is_empty() const { return is_empty_; }
  /// What a backward pass has added is of these rows of the word embeddings, in any order.
  void mark_added(const std::vector<int64_t>& word_rows);

  const Parameters& values() const { return values_; }
  float* data(const std::string& name) const { return values_.at(name).data_ptr<float>(); }
  /// Those of the word embeddings that may be other than zero, in order.
  const std::vector<int64_t>& word_rows() const { return word_rows_; }

  /// The sum of the squares of a weight's gradient, known as it was written: the norm then need not read it.
  void note_squares(const float* values, double sum) { squares_[values] = sum; }
  std::optional<double> squares_of(const float* values) const;
  /// Somebody has changed the values since.
  void forget_squares() { squares_.clear(); }

  /// All but the word embeddings', with a few zeros between them.
  float* dense() const { return dense_.data_ptr<float>(); }
  int64_t dense_count() const { return dense_.numel(); }
  /// How many of dense() are complete once a backward pass has gone through `layer`.
  int64_t complete_after(int64_t layer) const { return complete_after_.at(layer); }

 private:
  torch::Tensor dense_;
  Parameters values_;                          ///< views of dense_, and the word embeddings
  std::map<int64_t, int64_t> complete_after_;  ///< by layer
  std::vector<int64_t> word_rows_;
  std::map<const float*, double> squares_;  ///< by the values of a weight's gradient
  bool is_empty_ = true;
};

/// Norm of all gradients together. The same for any number of threads.
double gradient_norm(const Gradients& gradients);

/// What gradients are multiplied by, so that their norm is at most `max_norm` (0: 1), as PyTorch's
/// clip_grad_norm_.
double clip_scale(double norm, double max_norm);

}  // namespace expctl
