// One set of span logits out of several members', token by token.
#pragma once

#include <string>
#include <vector>

#include "ensemble/method.h"
#include "formats/logits_file.h"

namespace expctl {

struct LogitsMember {
  std::string id;
  double scale = 1;  ///< its logits are multiplied by it before anything else: 1 / temperature
  LogitsFile logits;
};

/// Throws Error where two members are not over the same features, naming both and what differs, or a logit is
/// not finite.
void check_alike(const std::vector<LogitsMember>& members);

/// Throws Error for a weight, or a scale, that is not a positive number of a sensible size (up to 1e12).
void check_weight(const std::string& id, double weight);
void check_scale(const std::string& id, double scale);

/// Members made ready to be averaged under any weights. With Method::kLogits start and end logits are
/// averaged; with kProbabilities each member's start logits become a softmax over all tokens of a question,
/// of all its windows jointly (of one window alone, one without an answer would have as much mass as the one
/// with it), likewise its end logits, and the mean's logarithm stands for logits. Sums are in double
/// precision, in the order of the members, so that equal weights give equal bits.
class Blend {
 public:
  /// `question_tokens` as AnswerSpace has them. Throws Error as check_alike() does, and where there is no
  /// member.
  Blend(std::vector<LogitsMember> members, Method method, const std::vector<size_t>& question_tokens);

  size_t size() const { return members_.size(); }
  const std::vector<int64_t>& offsets() const { return members_.front().logits.offsets; }
  /// Of the tokens [first, last) into `start` and `end`, [last - first] each. A weight of 0 leaves a member
  /// out; their sum counts for nothing.
  void mean(const std::vector<double>& weights, size_t first, size_t last, float* start, float* end) const;
  /// Of all tokens.
  LogitsFile mean(const std::vector<double>& weights) const;

 private:
  std::vector<LogitsMember> members_;  ///< scaled, or probabilities
  Method method_;
};

}  // namespace expctl
