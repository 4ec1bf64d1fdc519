#include "squad/tokenizer.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/text.h"
#include "squad/unicode.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

const std::string kSpecial = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";

const Vocabulary& small_vocabulary() {
  static const Vocabulary vocabulary = Vocabulary::parse(
      kSpecial + "the\nover\n##fit\ncafe\n中\n国\n,\n!\n$\na\n##a\nb\n##b\n##c", "vocab.txt");
  return vocabulary;
}

/// "the@0-3 over@4-8": every token's piece and code points.
std::string tokens_of(const std::string& text) {
  std::vector<std::string> shown;
  for (const auto& token : tokenize(text, small_vocabulary())) {
    shown.push_back(fmt::format("{}@{}-{}", small_vocabulary().piece(token.id), token.begin, token.end));
  }
  return join(shown, " ");
}

std::string refusal(const std::string& text) {
  try {
    Vocabulary::parse(text, "vocab.txt");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("vocabulary: a line's number is its piece's id, however lines end", "[squad]") {
  for (const std::string text : {"the\n[PAD]\n[UNK]\n[CLS]\n[SEP]", "the\n[PAD]\n[UNK]\n[CLS]\n[SEP]\n",
                                 "the\r\n[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n"}) {
    const Vocabulary vocabulary = Vocabulary::parse(text, "vocab.txt");
    CHECK(vocabulary.size() == 5);
    CHECK(vocabulary.find("the") == 0);
    CHECK(vocabulary.piece(0) == "the");
    CHECK(vocabulary.pad() == 1);
    CHECK(vocabulary.unk() == 2);
    CHECK(vocabulary.cls() == 3);
    CHECK(vocabulary.sep() == 4);
    CHECK(vocabulary.find("ship") == -1);
  }
}

TEST_CASE("vocabulary: what is no BERT vocabulary is refused with the place", "[squad]") {
  const struct {
    std::string text, part;
  } cases[] = {
      {"", "vocab.txt: the vocabulary is empty"},
      {"\n", "vocab.txt: the vocabulary is empty"},
      {"[UNK]\n[CLS]\n[SEP]\n", "no [PAD]"},
      {"[PAD]\n[CLS]\n[SEP]\n", "no [UNK]"},
      {"[PAD]\n[UNK]\n[SEP]\n", "no [CLS]"},
      {"[PAD]\n[UNK]\n[CLS]\n", "no [SEP]"},
      {kSpecial + "the\na\nthe\n", "vocab.txt:7: the piece 'the' occurs twice"},
  };
  for (const auto& c : cases) CHECK_THAT(refusal(c.text), Contains(c.part));
}

// Expectations: transformers' BertTokenizerFast over the same vocabulary.
TEST_CASE("tokenizer: words, pieces and where they came from", "[squad]") {
  const struct {
    std::string text, expected;
  } cases[] = {
      {"", ""},
      {" \t\r\n", ""},
      {"The overfit", "the@0-3 over@4-8 ##fit@8-11"},
      {"a  b", "a@0-1 b@3-4"},
      {"a,b!", "a@0-1 ,@1-2 b@2-3 !@3-4"},
      {"$a", "$@0-1 a@1-2"},
      {"Café!", "cafe@0-4 !@4-5"},
      {"CAFÉ", "cafe@0-4"},
      {"Cafe\u0301!", "cafe@0-4 !@5-6"},
      {"中国ab", "中@0-1 国@1-2 a@2-3 ##b@3-4"},
      {"a中b", "a@0-1 中@1-2 b@2-3"},
      {"a\u2014b", "a@0-1 [UNK]@1-2 b@2-3"},
      {"a\u00a0b", "a@0-1 b@2-3"},
      {"a\u3000b", "a@0-1 b@2-3"},
      {"a\tb\nb", "a@0-1 b@2-3 b@4-5"},
      {"a\u0007b", "a@0-1 ##b@2-3"},
      {std::string("a\0b", 3), "a@0-1 ##b@2-3"},
      {"a\u200bb", "a@0-1 ##b@2-3"},
      {"a\ufffdb", "a@0-1 ##b@2-3"},
      {"xyz", "[UNK]@0-3"},
      {"overfitx a", "[UNK]@0-8 a@9-10"},
      {"c", "[UNK]@0-1"},
      {"\U0001f600a b", "[UNK]@0-2 b@3-4"},
  };
  for (const auto& c : cases) {
    INFO("'" << c.text << "'");
    CHECK(tokens_of(c.text) == c.expected);
  }
}

// The same peer. U+302E, U+1D165 (of U+1D160) are marks that stay, U+0323, U+0338 go after they took their
// places.
TEST_CASE("tokenizer: combining characters change places, and where they came from does not", "[squad]") {
  const struct {
    std::string text, expected;
  } cases[] = {
      {"\u0323\u302e b", "[UNK]@1-2 b@3-4"},
      {"\u302e\u0323 b", "[UNK]@1-2 b@3-4"},
      {"\u302e\u0301 b", "[UNK]@0-1 b@3-4"},
      {"\u302e\u0007\u0323 b", "[UNK]@2-3 b@4-5"},
      {"\u302e\u0323\u302e,\u0323", "[UNK]@1-3 ,@3-4"},
      {"\u302e \u0323", "[UNK]@0-1"},
      {"\u302e\u4e2d\u0323", "[UNK]@0-1 中@1-2"},
      {"\U0001d160\u0338 b", "[UNK]@0-2 b@3-4"},
      {"\U0001d160\u0323 b", "[UNK]@0-1 b@3-4"},
  };
  for (const auto& c : cases) {
    INFO("'" << c.text << "'");
    CHECK(tokens_of(c.text) == c.expected);
  }
}

TEST_CASE("tokenizer: ideographs stand alone in Hugging Face's ranges, not in all of Google's", "[squad]") {
  CHECK(tokens_of("a\U0002b81fa") == "a@0-1 [UNK]@1-2 a@2-3");
  CHECK(tokens_of("a\U0002b820a") == "[UNK]@0-3");
  CHECK(tokens_of("a\U0002b920a") == "a@0-1 [UNK]@1-2 a@2-3");
  CHECK(tokens_of("a\U0002ceb0a") == "[UNK]@0-3");
}

TEST_CASE("tokenizer: the longest piece is taken, never one that only fits later", "[squad]") {
  const Vocabulary vocabulary = Vocabulary::parse(kSpecial + "ab\nabc\n##cd\n##d", "vocab.txt");
  const auto tokens = tokenize("abcd", vocabulary);
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[0] == Token{vocabulary.find("abc"), 0, 3});
  CHECK(tokens[1] == Token{vocabulary.find("##d"), 3, 4});
}

TEST_CASE("tokenizer: a word of 100 characters is read, one of 101 is unknown", "[squad]") {
  const auto& vocabulary = small_vocabulary();
  const auto read = tokenize(std::string(100, 'a'), vocabulary);
  REQUIRE(read.size() == 100);
  CHECK(read.front() == Token{vocabulary.find("a"), 0, 1});
  CHECK(read.back() == Token{vocabulary.find("##a"), 99, 100});
  CHECK(tokenize(std::string(101, 'a'), vocabulary) == std::vector<Token>{{vocabulary.unk(), 0, 101}});

  std::string accented;  // 100 characters in 200 bytes
  for (int i = 0; i < 100; ++i) accented += "á";
  CHECK(tokenize(accented, vocabulary).size() == 100);
  CHECK(tokenize(std::string(101, 'a') + ",b", vocabulary).size() == 3);
}

TEST_CASE("unicode: invalid bytes become U+FFFD, one each, and the rest is kept", "[squad]") {
  CHECK(decode_utf8("a\xff\xfe"
                    "b") == U"a\ufffd\ufffdb");
  CHECK(decode_utf8("\xe4\xb8") == U"\ufffd\ufffd");
  CHECK(encode_utf8(decode_utf8("Zoë 中 \U0001f600")) == "Zoë 中 \U0001f600");
  CHECK(tokens_of("a\xff"
                  "b") == "a@0-1 ##b@2-3");
}
