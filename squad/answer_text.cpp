#include "squad/answer_text.h"

#include "squad/basic_tokenizer.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

bool is_document_space(char32_t c) {
  return c == U' ' || c == U'\t' || c == U'\r' || c == U'\n' || c == 0x202f;
}

/// A text without its spaces, and where each remaining character stood.
struct Squeezed {
  std::u32string text;
  std::vector<size_t> origins;

  explicit Squeezed(std::u32string_view from) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i] == U' ') continue;
      text += from[i];
      origins.push_back(i);
    }
  }
};

std::u32string joined_words(std::u32string_view text) {
  std::u32string out;
  for (const auto& word : basic_tokenize(text)) {
    if (!out.empty()) out += U' ';
    out += word.text;
  }
  return out;
}

/// The index among the characters that are no spaces of the character at `position`.
size_t squeezed_index(std::u32string_view text, size_t position) {
  size_t index = 0;
  for (size_t i = 0; i < position; ++i) index += text[i] != U' ';
  return index;
}

}  // namespace

ContextWords::ContextWords(std::u32string context) : context_(std::move(context)) {
  int begin = -1;
  const auto size = static_cast<int>(context_.size());
  for (int i = 0; i <= size; ++i) {
    const bool space = i == size || is_document_space(context_[static_cast<size_t>(i)]);
    if (!space && begin < 0) begin = i;
    if (space && begin >= 0) {
      words_.emplace_back(begin, i);
      begin = -1;
    }
  }
}

std::string ContextWords::around(int begin, int end) const {
  std::u32string out;
  for (const auto& [word_begin, word_end] : words_) {
    if (word_end <= begin || word_begin >= end) continue;
    if (!out.empty()) out += U' ';
    out += context_.substr(static_cast<size_t>(word_begin), static_cast<size_t>(word_end - word_begin));
  }
  return encode_utf8(out);
}

std::string join_pieces(const std::vector<std::string_view>& pieces) {
  std::string out;
  for (const auto piece : pieces) {
    if (piece.starts_with("##") && !out.empty()) {
      out += piece.substr(2);
    } else {
      if (!out.empty()) out += ' ';
      out += piece.starts_with("##") ? piece.substr(2) : piece;
    }
  }
  return out;
}

std::string final_text(std::string_view predicted, std::string_view original) {
  const std::u32string target = decode_utf8(predicted), text = decode_utf8(original);
  const std::u32string normal = joined_words(text);
  const size_t found = normal.find(target);
  if (found == std::u32string::npos || target.empty()) return std::string(original);
  // The two texts must agree character by character once spaces are out: only then are positions comparable.
  const Squeezed from_normal(normal), from_text(text);
  if (from_normal.text.size() != from_text.text.size()) return std::string(original);
  const size_t first = from_text.origins[squeezed_index(normal, found)];
  const size_t last = from_text.origins[squeezed_index(normal, found + target.size() - 1)];
  return encode_utf8(std::u32string_view(text).substr(first, last - first + 1));
}

}  // namespace expctl
