#include "squad/answer_text.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("answer text: pieces are joined to words", "[squad]") {
  CHECK(join_pieces({"over", "##fit"}) == "overfit");
  CHECK(join_pieces({"a", "##b", "c", "##d", "##e"}) == "ab cde");
  CHECK(join_pieces({"##fit", "it"}) == "fit it");
  CHECK(join_pieces({"$", "1", ".", "5"}) == "$ 1 . 5");
  CHECK(join_pieces({}).empty());
}

TEST_CASE("answer text: whole words around a span of code points", "[squad]") {
  const ContextWords words(U"In 1834,  Zo\u00eb\tsaw\u202fit");
  CHECK(words.around(0, 1) == "In");
  CHECK(words.around(3, 7) == "1834,");
  CHECK(words.around(4, 11) == "1834, Zoë");
  CHECK(words.around(10, 17) == "Zoë saw");
  CHECK(words.around(14, 20) == "saw it");
  CHECK(words.around(8, 10).empty());
}

// Expectations: what get_final_text of run_squad.py returns.
TEST_CASE("answer text: the part of the original that the tokens stand for", "[squad]") {
  const struct {
    std::string predicted, original, expected;
  } cases[] = {
      {"steve smith", "Steve Smith's", "Steve Smith"},
      {"1834", "1834,", "1834"},
      {"u . s", "U.S.A.", "U.S"},
      {"$ 1 . 5", "($1.5)", "$1.5"},
      {"cafe", "Café,", "Café"},
      {"cafe", "Cafe\u0301,", "Cafe\u0301,"},  // an accent of its own leaves the two of different length
      {"[UNK]", "xyz", "xyz"},
      {"boat", "Ship's", "Ship's"},
      {"ship", "Ship", "Ship"},
  };
  for (const auto& c : cases) {
    INFO(c.predicted << " in " << c.original);
    CHECK(final_text(c.predicted, c.original) == c.expected);
  }
}

TEST_CASE("answer text: out of a context it is the same as out of the words around the span", "[squad]") {
  const std::u32string context =
      U"In  1834,\tZo\u00eb's (U.S.) Cafe\u0301 \u00a0x\u00a0y \u0301 $1.5-bn\u202f\u4e2d\u6587 end.";
  ContextWords words(context);
  const std::vector<std::string> predicted = {"in 1834",    "1834",        "1834 ,", "zoe ' s", "zoe",
                                              "u . s",      "( u . s . )", "cafe",   "x y",     "$ 1 . 5",
                                              "1 . 5 - bn", "[UNK]",       "",       "end",     "\u4e2d"};
  const auto size = static_cast<int>(context.size());
  for (int begin = 0; begin < size; ++begin) {
    for (int end = begin; end <= size; ++end) {
      for (const auto& text : predicted)
        REQUIRE(words.answer(text, begin, end) == final_text(text, words.around(begin, end)));
    }
  }
}
