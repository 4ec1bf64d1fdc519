// The first half of BERT's uncased tokenizer: a text to normalised words, each character knowing where it
// came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace expctl {

/// Normalised characters and, for each, the index of the code point of the original text that it comes from.
struct BasicWord {
  std::u32string text;
  std::vector<int32_t> origins;
};

/// Clean, CJK characters apart, decomposed (NFD) without marks, lower case, split at white space and around
/// punctuation: the order of Hugging Face's BertNormalizer and BertPreTokenizer.
std::vector<BasicWord> basic_tokenize(std::u32string_view text);

}  // namespace expctl
