#include "squad/tokenizer.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "squad/basic_tokenizer.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

constexpr size_t kMaxWordCharacters = 100;

/// The longest piece of the vocabulary that `word` has at `begin` (in code points); returns its id and end,
/// or -1.
std::pair<int32_t, size_t> longest_piece(std::u32string_view word, size_t begin,
                                         const Vocabulary& vocabulary) {
  std::string piece = (begin > 0 ? "##" : "") + encode_utf8(word.substr(begin));
  for (size_t end = word.size(); end > begin; --end) {
    const int32_t id = vocabulary.find(piece);
    if (id >= 0) return {id, end};
    // One code point less: its last byte and the continuation bytes (10xxxxxx) before it go.
    while ((static_cast<unsigned char>(piece.back()) & 0xc0) == 0x80) piece.pop_back();
    piece.pop_back();
  }
  return {-1, begin};
}

void append_pieces(const BasicWord& word, const Vocabulary& vocabulary, std::vector<Token>& tokens) {
  const size_t first = tokens.size();
  const auto append = [&](int32_t id, size_t begin, size_t end) {
    tokens.push_back({id, word.origins[begin], word.origins[end - 1] + 1});
  };
  bool known = word.text.size() <= kMaxWordCharacters;
  for (size_t begin = 0; known && begin < word.text.size();) {
    const auto [id, end] = longest_piece(word.text, begin, vocabulary);
    known = id >= 0;
    if (known) append(id, begin, end);
    begin = end;
  }
  if (known) return;
  tokens.resize(first);
  append(vocabulary.unk(), 0, word.text.size());
}

}  // namespace

Vocabulary Vocabulary::parse(std::string_view text, const std::string& source) {
  Vocabulary vocabulary;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) throw Error(fmt::format("{}: the vocabulary is empty", source), "one piece a line");
  for (auto& line : split(text, '\n')) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const auto id = static_cast<int32_t>(vocabulary.pieces_.size());
    if (!vocabulary.ids_.emplace(line, id).second) {
      throw Error(fmt::format("{}:{}: the piece '{}' occurs twice", source, id + 1, line));
    }
    vocabulary.pieces_.push_back(std::move(line));
  }
  const auto special = [&](const char* piece) {
    const int32_t id = vocabulary.find(piece);
    if (id < 0)
      throw Error(fmt::format("{}: the vocabulary has no {}", source, piece), "is it BERT's vocab.txt?");
    return id;
  };
  vocabulary.pad_ = special("[PAD]");
  vocabulary.unk_ = special("[UNK]");
  vocabulary.cls_ = special("[CLS]");
  vocabulary.sep_ = special("[SEP]");
  return vocabulary;
}

Vocabulary Vocabulary::read(const std::filesystem::path& path) {
  return parse(read_file(path), path.string());
}

int32_t Vocabulary::find(std::string_view piece) const {
  const auto found = ids_.find(piece);
  return found == ids_.end() ? -1 : found->second;
}

std::vector<Token> tokenize(std::string_view text, const Vocabulary& vocabulary) {
  std::vector<Token> tokens;
  for (const auto& word : basic_tokenize(decode_utf8(text))) append_pieces(word, vocabulary, tokens);
  return tokens;
}

}  // namespace expctl
