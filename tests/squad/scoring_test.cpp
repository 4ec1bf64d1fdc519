#include "squad/scoring.h"

#include <random>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

namespace {

Dataset one_question(const std::vector<std::string>& gold) {
  Question question{"q1", "Who?", {}};
  for (const auto& text : gold) question.answers.push_back({text, 0});
  return {"1.1", {{"T", {{"context", {question}}}}}};
}

Score score_of(const std::string& predicted, const std::vector<std::string>& gold) {
  return score_predictions(one_question(gold), {{"q1", predicted}});
}

}  // namespace

// Expectations: normalize_answer of the official evaluate-v1.1.py.
TEST_CASE("scoring: answers are normalised as the official script does", "[squad]") {
  const struct {
    std::string text, expected;
  } cases[] = {
      {"", ""},
      {"The Ship", "ship"},
      {"a an the", ""},
      {"then another", "then another"},
      {"the-ship", "theship"},
      {"a.b.c", "abc"},
      {"U.S.A.", "usa"},
      {"  two \t\n words ", "two words"},
      {"$1,000", "1000"},
      {"the_ship", "theship"},
      {"\u201cthe ship\u201d", "\u201c ship\u201d"},
      {"a\u2014b", "\u2014b"},
      {"ship\u00a0of the line", "ship of line"},
      {"ÉCOLE", "école"},
      {"theé", "theé"},
      {"\u0391\u03a3", "\u03b1\u03c2"},
      {"\u0391\u03a3\uff1a\u0392", "\u03b1\u03c3\uff1a\u03b2"},
  };
  for (const auto& c : cases) {
    INFO("'" << c.text << "'");
    CHECK(normalize_answer(c.text) == c.expected);
  }
}

TEST_CASE("scoring: a text of ASCII alone is normalised as beside another character", "[squad]") {
  std::mt19937 random(5);
  const std::string alphabet = "aAtThHeEnN  .-_'09$\t";
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    const std::string alone = normalize_answer(text);
    INFO("'" << text << "'");
    CHECK(normalize_answer(text + " \u00e9") == (alone.empty() ? "\u00e9" : alone + " \u00e9"));
  }
}

TEST_CASE("scoring: exact match and F1 are the best over the gold answers", "[squad]") {
  const struct {
    std::string predicted;
    std::vector<std::string> gold;
    double exact, f1;
  } cases[] = {
      {"the ship", {"Ship!"}, 100, 100},
      {"boat", {"ship"}, 0, 0},
      {"red ship", {"ship"}, 0, 200.0 / 3},                     // precision 1/2, recall 1
      {"ship", {"red ship at sea"}, 0, 40},                     // precision 1, recall 1/4
      {"ship", {"red ship at sea", "red ship"}, 0, 200.0 / 3},  // the better of the two
      {"ship", {"boat", "ship", "red ship"}, 100, 100},
      {"red red ship", {"red ship ship"}, 0, 200.0 / 3},  // a word counts as often as both have it
      {"ship red", {"red ship"}, 0, 100},                 // order matters to exact match only
      {"the", {"a"}, 100, 0},                             // both empty: equal, but no common word
      {"", {"ship"}, 0, 0},
  };
  for (const auto& c : cases) {
    INFO(c.predicted);
    const Score score = score_of(c.predicted, c.gold);
    CHECK(score.exact_match == c.exact);
    CHECK(score.f1 == Approx(c.f1).epsilon(1e-12));
  }
}

TEST_CASE("scoring: a question without a prediction counts as wrong and is marked", "[squad]") {
  Dataset dataset = one_question({"ship"});
  dataset.articles[0].paragraphs[0].questions.push_back({"q2", "Where?", {{"sea", 0}}});
  const Score score = score_predictions(dataset, {{"q2", "sea"}, {"other", "ship"}});
  CHECK(score.exact_match == 50);
  CHECK(score.f1 == 50);
  REQUIRE(score.questions.size() == 2);
  CHECK(score.questions[0].id == "q1");
  CHECK_FALSE(score.questions[0].answered);
  CHECK_FALSE(score.questions[0].exact);
  CHECK(score.questions[1].answered);
  CHECK(score.questions[1].exact);
  CHECK(score.questions[1].f1 == 1);
}

TEST_CASE("scoring: predictions that are no object of texts are refused with the place", "[squad]") {
  const struct {
    std::string text, part;
  } cases[] = {
      {"{", "predictions.json:1:"},
      {"[]", "predictions.json: not an object"},
      {R"({"q1": "ship", "q2": 3})", "'q2'"},
      {R"({"q1": ["ship"]})", "'q1'"},
      {R"({"q1": null})", "'q1'"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK_THROWS_WITH(parse_predictions(c.text, "predictions.json"),
                      Contains(c.part) && Contains("predictions.json"));
  }
  CHECK(parse_predictions(R"({"q1": "ship"})", "predictions.json").at("q1") == "ship");
}

// The first is the paper's ensemble (86.2 / 92.2), the second SQuAD's baseline.
TEST_CASE("scoring: published predictions get the official numbers, digit for digit", "[squad]") {
  SKIP_UNLESS(!shared_dir().empty(), "../shared is absent");
  const Dataset dataset = read_dataset(shared_dir() / "squad/dev-v1.1.json");
  const struct {
    const char *file, *line;
  } cases[] = {
      {"bert-ensemble.json", "{\"exact_match\": 86.20624408703878, \"f1\": 92.19557978351129}\n"},
      {"logistic-regression.json", "{\"exact_match\": 40.14191106906339, \"f1\": 50.98153647324482}\n"},
  };
  for (const auto& c : cases) {
    INFO(c.file);
    const auto path = shared_dir() / "squad/predictions" / c.file;
    CHECK(score_line(score_predictions(dataset, parse_predictions(read_file(path), path.string()))) ==
          c.line);
  }
}

TEST_CASE("scoring: predictions with a number beyond every double are refused, not thrown at", "[squad]") {
  CHECK_THROWS_AS(parse_predictions("1E1221", "p.json"), Error);
}
