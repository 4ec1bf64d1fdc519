#include "squad/answer_files.h"

#include <catch2/catch.hpp>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

TEST_CASE("answer files: n-best of any program, by text and probability", "[squad]") {
  const NBest nbest = parse_nbest(
      R"({"q1": [{"text": "a", "probability": 0.75, "start_logit": 3}, {"text": "", "probability": 0.25}], "q2": []})",
      "n.json");
  REQUIRE(nbest.at("q1").size() == 2);
  CHECK(nbest.at("q1")[0].text == "a");
  CHECK(nbest.at("q1")[1].probability == 0.25);
  CHECK(nbest.at("q2").empty());
}

TEST_CASE("answer files: n-best that is none is refused, naming file and question", "[squad]") {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "not an object"},
           {R"({"q1": {}})", "question 'q1': not a list"},
           {R"({"q1": [{"text": "a"}]})", "question 'q1': an answer without text or probability"},
           {R"({"q1": [{"text": "a", "probability": 1.5}]})", "question 'q1': a probability that is none"},
           {R"({"q1": [{"text": "a", "probability": -1}]})", "question 'q1': a probability that is none"},
           {R"({"q1": [3]})", "question 'q1': an answer without"},
           {"{", "n.json"}}) {
    INFO(text);
    CHECK_THROWS_WITH(parse_nbest(text, "n.json"), Contains("n.json") && Contains(why));
  }
}

TEST_CASE("answer files: the probability score is the mean of the first answers' probabilities", "[squad]") {
  CHECK(probability_score({{"q1", {{"a", 0.5, 0, 0}, {"b", 0.5, 0, 0}}}, {"q2", {{"c", 1, 0, 0}}}}) == 0.75);
  CHECK_THROWS_AS(probability_score({}), Error);
  CHECK_THROWS_WITH(probability_score({{"q1", {}}}), Contains("q1"));
}
