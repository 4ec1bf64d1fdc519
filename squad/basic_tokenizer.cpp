#include "squad/basic_tokenizer.h"

#include <algorithm>

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

/// NFD's canonical order: combining characters that follow one another are sorted by their class. As in
/// Hugging Face's normaliser, characters move and origins keep their places. Characters go on without marks,
/// in lower case.
class CanonicalOrder {
 public:
  explicit CanonicalOrder(WordBuilder& words) : words_(words) {}

  /// `first`: of its code point's decomposition; the other parts share the origin of what stands before them.
  void add(char32_t c, bool first, int32_t origin) {
    const int combining = combining_class(c);
    if (combining == 0) {
      release();
      if (first) origin_ = origin;
      pass_on(c);
      return;
    }
    waiting_.push_back({c, combining, first});
    if (first) origins_.push_back(origin);
  }

  /// Call before what stands between characters.
  void release() {
    if (waiting_.empty()) return;
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const Part& a, const Part& b) { return a.combining < b.combining; });
    size_t next = 0;
    for (const Part& part : waiting_) {
      if (part.first) origin_ = origins_[next++];
      pass_on(part.c);
    }
    waiting_.clear();
    origins_.clear();
  }

 private:
  struct Part {
    char32_t c;
    int combining;
    bool first;
  };

  void pass_on(char32_t c) {
    if (!is_combining_mark(c)) add_character(lower(c), origin_, words_);
  }

  WordBuilder& words_;
  std::vector<Part> waiting_;
  std::vector<int32_t> origins_;  ///< of the code points whose first parts wait
  int32_t origin_ = 0;            ///< of what was passed on last
};

}  // namespace

std::vector<BasicWord> basic_tokenize(std::u32string_view text) {
  WordBuilder words;
  CanonicalOrder order(words);
  std::u32string decomposed;
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    const auto origin = static_cast<int32_t>(i);
    if (is_removed_control(c)) continue;
    if (c < 0x80) {
      order.release();
      add_character(lower(c), origin, words);
      continue;
    }
    const bool cjk = is_cjk(c);
    if (cjk) {
      order.release();
      words.end_word();
    }
    decomposed.clear();
    append_decomposed(c, decomposed);
    for (size_t k = 0; k < decomposed.size(); ++k) order.add(decomposed[k], k == 0, origin);
    if (cjk) words.end_word();
  }
  order.release();
  return words.take();
}

}  // namespace expctl
