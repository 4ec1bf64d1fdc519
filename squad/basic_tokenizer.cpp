#include "squad/basic_tokenizer.h"

#include "squad/unicode.h"

namespace expctl {
namespace {

/// Collects characters into words.
class WordBuilder {
 public:
  void add(char32_t c, int32_t origin) {
    word_.text += c;
    word_.origins.push_back(origin);
  }

  void end_word() {
    if (word_.text.empty()) return;
    words_.push_back(std::move(word_));
    word_ = {};
  }

  void add_alone(char32_t c, int32_t origin) {
    end_word();
    add(c, origin);
    end_word();
  }

  std::vector<BasicWord> take() {
    end_word();
    return std::move(words_);
  }

 private:
  BasicWord word_;
  std::vector<BasicWord> words_;
};

void add_character(char32_t c, int32_t origin, WordBuilder& words) {
  if (is_white_space(c))
    words.end_word();
  else if (is_bert_punctuation(c))
    words.add_alone(c, origin);
  else
    words.add(c, origin);
}

}  // namespace

std::vector<BasicWord> basic_tokenize(std::u32string_view text) {
  WordBuilder words;
  std::u32string decomposed;
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    const auto origin = static_cast<int32_t>(i);
    if (c < 0x80) {
      if (!is_removed_control(c)) add_character(lower(c), origin, words);
      continue;
    }
    if (is_removed_control(c)) continue;
    const bool cjk = is_cjk(c);
    if (cjk) words.end_word();
    decomposed.clear();
    append_decomposed(c, decomposed);
    for (const char32_t part : decomposed) {
      if (!is_combining_mark(part)) add_character(lower(part), origin, words);
    }
    if (cjk) words.end_word();
  }
  return words.take();
}

}  // namespace expctl
