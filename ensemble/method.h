// The ways in which several models become one entry.
#pragma once

#include <string>
#include <string_view>

namespace expctl {

enum class Method {
  kLogits,         ///< mean of start and end logits, token by token
  kProbabilities,  ///< mean of start and end probabilities, each a softmax over all windows of a question
  kNBest,          ///< sum of the n-best's probabilities, text by text: whatever program made them
  kSoup,           ///< mean of the weights: one model
};

std::string_view name_of(Method method);
/// Throws Error (kUsage) naming the methods.
Method parse_method(const std::string& name);

}  // namespace expctl
