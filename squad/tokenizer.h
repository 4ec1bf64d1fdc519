// BERT's uncased tokenizer: BasicTokenizer (clean, CJK spacing, lower case, strip accents, split punctuation)
// and WordPiece, equal to Hugging Face's fast BertTokenizer (tokenizers 0.23), with offsets in code points of
// the original text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace expctl {

/// vocab.txt: one piece a line, the line number is the id. Needs [PAD], [UNK], [CLS], [SEP].
class Vocabulary {
 public:
  /// Throws Error naming the source: a missing special piece, a duplicate, an empty file.
  static Vocabulary parse(std::string_view text, const std::string& source);
  static Vocabulary read(const std::filesystem::path& path);

  int32_t size() const { return static_cast<int32_t>(pieces_.size()); }
  const std::string& piece(int32_t id) const { return pieces_[static_cast<size_t>(id)]; }
  /// -1 where the vocabulary has no such piece.
  int32_t find(std::string_view piece) const;

  int32_t pad() const { return pad_; }
  int32_t unk() const { return unk_; }
  int32_t cls() const { return cls_; }
  int32_t sep() const { return sep_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
  int32_t pad_ = -1, unk_ = -1, cls_ = -1, sep_ = -1;
};

/// One piece of a text: its id and where it came from, [begin, end) in code points of the text as it was
/// given.
struct Token {
  int32_t id;
  int32_t begin;
  int32_t end;
  bool operator==(const Token&) const = default;
};

/// No special pieces are added. A word of more than 100 code points, or with a part not in the vocabulary, is
/// one [UNK].
std::vector<Token> tokenize(std::string_view text, const Vocabulary& vocabulary);

}  // namespace expctl
