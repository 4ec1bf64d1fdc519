#include "squad/answer_text.h"

#include <algorithm>

#include "squad/basic_tokenizer.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

bool is_document_space(char32_t c) {
  return c == U' ' || c == U'\t' || c == U'\r' || c == U'\n' || c == 0x202f;
}

std::u32string joined_words(std::u32string_view text) {
  std::u32string out;
  for (const auto& word : basic_tokenize(text)) {
    if (!out.empty()) out += U' ';
    out += word.text;
  }
  return out;
}

/// How many of the first `end` characters are no spaces.
template <typename Char>
size_t count_solid(std::basic_string_view<Char> text, size_t end) {
  return end - static_cast<size_t>(
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), Char{' '}));
}

/// Where the character stands that has `before` others in front of it, spaces not counted.
template <typename Char>
size_t find_solid(std::basic_string_view<Char> text, size_t before) {
  for (size_t i = 0;; ++i) {
    if (text[i] != Char{' '} && before-- == 0) return i;
  }
}

/// The part of `text` that `target` stands for, a part of `normal`, which is text's words normalised; the
/// whole where the two do not agree character by character once spaces are out: only then are positions
/// comparable.
template <typename Char>
std::basic_string_view<Char> cut_out(std::basic_string_view<Char> target, std::basic_string_view<Char> text,
                                     std::basic_string_view<Char> normal) {
  const size_t found = normal.find(target);
  if (found == normal.npos || target.empty()) return text;
  if (count_solid(normal, normal.size()) != count_solid(text, text.size())) return text;
  const size_t first = find_solid(text, count_solid(normal, found));
  const size_t last = find_solid(text, count_solid(normal, found + target.size() - 1));
  return text.substr(first, last - first + 1);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

/// final_text() of an original whose normalised words are known.
std::string final_text(std::string_view predicted, std::string_view original, std::string_view normal) {
  if (is_ascii(predicted) && is_ascii(original) && is_ascii(normal))
    return std::string(cut_out(predicted, original, normal));
  const std::u32string target = decode_utf8(predicted), text = decode_utf8(original),
                       words = decode_utf8(normal);
  return encode_utf8(cut_out<char32_t>(target, text, words));
}

}  // namespace

ContextWords::ContextWords(std::u32string_view context) {
  int begin = -1;
  const auto size = static_cast<int>(context.size());
  for (int i = 0; i <= size; ++i) {
    const bool space = i == size || is_document_space(context[static_cast<size_t>(i)]);
    if (!space && begin < 0) begin = i;
    if (space && begin >= 0) {
      words_.push_back(
          {begin,
           i,
           encode_utf8(context.substr(static_cast<size_t>(begin), static_cast<size_t>(i - begin))),
           {}});
      begin = -1;
    }
  }
}

std::pair<size_t, size_t> ContextWords::words_of(int begin, int end) const {
  const auto first =
      std::partition_point(words_.begin(), words_.end(), [&](const auto& word) { return word.end <= begin; });
  const auto last =
      std::partition_point(first, words_.end(), [&](const auto& word) { return word.begin < end; });
  return {static_cast<size_t>(first - words_.begin()), static_cast<size_t>(last - words_.begin())};
}

std::string ContextWords::joined(size_t first, size_t last) const {
  std::string out;
  for (size_t i = first; i < last; ++i) {
    if (i > first) out += ' ';
    out += words_[i].text;
  }
  return out;
}

std::string ContextWords::around(int begin, int end) const {
  const auto [first, last] = words_of(begin, end);
  return joined(first, last);
}

std::string ContextWords::answer(std::string_view predicted, int begin, int end) {
  const auto [first, last] = words_of(begin, end);
  std::string original = joined(first, last), all;
  for (size_t i = first; i < last; ++i) {
    Word& word = words_[i];
    if (!word.normal) word.normal = encode_utf8(joined_words(decode_utf8(word.text)));
    if (word.normal->empty()) continue;  // nothing but marks and control characters
    if (!all.empty()) all += ' ';
    all += *word.normal;
  }
  // Of whole words there is nothing to cut off.
  return all == predicted ? original : final_text(predicted, original, all);
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
  return final_text(predicted, original, encode_utf8(joined_words(decode_utf8(original))));
}

}  // namespace expctl
