#include "squad/answer_files.h"

#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

TEST_CASE("answer files: n-best of any program, by text and probability", "[squad]") {
  const NBest nbest = parse_nbest(
      R"({"q1": [{"text": "a", "probability": 0.75, "start_logit": 3}, {"text": "", "probability": 0.25}], "q2": []})",
      "n.json");
  REQUIRE(nbest.at("q1").size() == 2);
  CHECK(nbest.at("q1")[0].text == "a");
  CHECK(nbest.at("q1")[0].start_logit == 3);
  CHECK(std::isnan(nbest.at("q1")[0].end_logit));
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

TEST_CASE("answer files: answers are written with their score, which only data with answers has", "[squad]") {
  const TempDir folder;
  const RunPaths paths{folder.path()};
  const std::vector<QuestionPrediction> answers = {{"q1", {{"a", 0.75, 2, 1}, {"b", 0.25, 1, 1}}}};
  const auto dataset = [](const std::vector<Answer>& gold) {
    return Dataset{"1.1", {{"T", {{"a b", {{"q1", "q", gold}}}}}}};
  };
  CHECK_FALSE(write_answers(paths, dataset({}), answers));
  CHECK_FALSE(std::filesystem::exists(paths.eval()));
  const auto score = write_answers(paths, dataset({{"b", 2}}), answers);
  REQUIRE(score);
  CHECK(read_file(paths.eval()) == score_line(*score));
  CHECK(parse_predictions(read_file(paths.predictions()), "p.json") == Predictions{{"q1", "a"}});
  const NBest nbest = parse_nbest(read_file(paths.nbest()), "n.json");
  REQUIRE(nbest.at("q1").size() == 2);
  CHECK(nbest.at("q1")[1].text == "b");
  CHECK(nbest.at("q1")[0].end_logit == 1);
}

TEST_CASE("answer files: predictions and n-best differ where the first of the n-best is another or missing",
          "[squad]") {
  const Predictions predictions = {{"q1", "a"}, {"q2", "b"}};
  const auto differences = [&](const char* nbest) {
    return count_nbest_differences(predictions, Json::parse(nbest), "n.json");
  };
  CHECK(differences(R"({"q1": [{"text": "a"}, {"text": "x"}], "q2": [{"text": "b"}]})") == 0);
  CHECK(differences(R"({"q1": [{"text": "x"}, {"text": "a"}], "q2": [{"text": "x"}]})") == 2);
  CHECK(differences(R"({"q1": [{"text": "a"}], "q3": [{"text": "b"}]})") == 1);
  CHECK(differences(R"({"q1": [{"text": "a"}]})") == 1);
  CHECK(differences(R"({"q1": [], "q2": "b"})") == 2);
  CHECK_THROWS_WITH(differences(R"({"q1": [{}], "q2": [{"text": "b"}]})"), Contains("n.json"));
}
