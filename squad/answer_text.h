// From predicted tokens back to the words of the context, as run_squad.py does: its answers are what the
// judges' files hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace expctl {

/// A context split at run_squad.py's white space (space, tab, CR, LF, U+202F), to find the words around a
/// span.
class ContextWords {
 public:
  explicit ContextWords(std::u32string context);

  /// The words that hold the code points [begin, end), joined by single spaces.
  std::string around(int begin, int end) const;

 private:
  std::u32string context_;
  std::vector<std::pair<int, int>> words_;  ///< [begin, end) code points
};

/// Wordpieces as words: "over" "##fit" -> "overfit".
std::string join_pieces(const std::vector<std::string_view>& pieces);

/// The part of `original` (whole words) that `predicted` (normalised tokens joined by spaces) stands for;
/// `original` itself where the two cannot be aligned. What run_squad.py's get_final_text returns.
std::string final_text(std::string_view predicted, std::string_view original);

}  // namespace expctl
