// Code points and the properties of them that tokenizing and scoring need (utf8proc 2.8: Unicode 15).
#pragma once

#include <string>
#include <string_view>

namespace expctl {

/// Invalid bytes become U+FFFD, one each.
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

bool is_combining_mark(char32_t c);   ///< category Mn
int combining_class(char32_t c);      ///< canonical combining class; 0: a starter
bool is_removed_control(char32_t c);  ///< Cc, Cf, Cs, Co, U+0000, U+FFFD; not tab, line feed, carriage return
bool is_white_space(char32_t c);      ///< property White_Space
bool is_bert_punctuation(char32_t c);  ///< ASCII punctuation and symbols, category P*
bool is_cjk(char32_t c);               ///< the eight ranges of Hugging Face's BertNormalizer
bool is_word_character(char32_t c);    ///< \w of Python's re: letters, numbers, underscore

char32_t lower(char32_t c);  ///< simple mapping
/// Python's str.lower(): the simple mapping, but for U+0130 and the final sigma.
std::u32string python_lower(std::u32string_view text);
/// Appends the canonical decomposition (NFD) of one code point.
void append_decomposed(char32_t c, std::u32string& out);

}  // namespace expctl
