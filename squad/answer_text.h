// From predicted tokens back to the words of the context, as run_squad.py does: its answers are what the
// judges' files hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace expctl {

/// A context split at run_squad.py's white space (space, tab, CR, LF, U+202F), to find the words around a
/// span. From one thread at a time: what words are normalised to is remembered.
class ContextWords {
 public:
  explicit ContextWords(std::u32string_view context);

  /// The words that hold the code points [begin, end), joined by single spaces.
  std::string around(int begin, int end) const;
  /// final_text(predicted, around(begin, end)).
  std::string answer(std::string_view predicted, int begin, int end);

 private:
  struct Word {
    int begin, end;  ///< code points
    std::string text;
    std::optional<std::string> normal;  ///< its tokens joined by spaces; nothing: not asked for yet
  };
  /// The words that hold the code points: [first, last).
  std::pair<size_t, size_t> words_of(int begin, int end) const;
  std::string joined(size_t first, size_t last) const;

  std::vector<Word> words_;
};

/// Wordpieces as words: "over" "##fit" -> "overfit".
std::string join_pieces(const std::vector<std::string_view>& pieces);

/// The part of `original` (whole words) that `predicted` (normalised tokens joined by spaces) stands for;
/// `original` itself where the two cannot be aligned. What run_squad.py's get_final_text returns.
std::string final_text(std::string_view predicted, std::string_view original);

}  // namespace expctl
