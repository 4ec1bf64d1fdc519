#include "squad/dataset.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

std::string refusal(const std::string& text) {
  try {
    parse_dataset(text, "dev.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

/// A file of one paragraph with the given questions.
std::string file_of(const std::string& qas, const std::string& context = "Zoë saw a ship.") {
  return fmt::format(
      R"({{"version": "1.1", "data": [{{"title": "T", "paragraphs": [{{"context": "{}", "qas": [{}]}}]}}]}})",
      context, qas);
}

std::string question(const std::string& id, const std::string& answers) {
  return fmt::format(R"({{"id": "{}", "question": "Who?", "answers": [{}]}})", id, answers);
}

/// What check_answer_positions says of one answer in "Zoë saw a ship.", with the hint.
std::pair<std::string, std::string> position_refusal(const std::string& text, int64_t start) {
  const Dataset dataset{"1.1", {{"T", {{"Zoë saw a ship.", {{"q1", "Who?", {{text, start}}}}}}}}};
  try {
    check_answer_positions(dataset, "dev.json");
  } catch (const Error& error) {
    return {error.what(), error.hint()};
  }
  return {"accepted", ""};
}

}  // namespace

TEST_CASE("dataset: all members are read, in file order", "[squad]") {
  const auto text =
      file_of(question("q1", R"({"text": "saw", "answer_start": 4})") + "," + question("q2", ""));
  const Dataset dataset = parse_dataset(text, "dev.json");
  CHECK(dataset.version == "1.1");
  CHECK(dataset.question_count() == 2);
  REQUIRE(dataset.articles.size() == 1);
  CHECK(dataset.articles[0].title == "T");
  const auto& paragraph = dataset.articles[0].paragraphs.at(0);
  CHECK(paragraph.context == "Zoë saw a ship.");
  CHECK(paragraph.questions[0].id == "q1");
  CHECK(paragraph.questions[0].text == "Who?");
  CHECK(paragraph.questions[0].answers.at(0).text == "saw");
  CHECK(paragraph.questions[0].answers[0].answer_start == 4);
  CHECK(paragraph.questions[1].id == "q2");
  CHECK_FALSE(dataset.has_answers());
}

TEST_CASE("dataset: unseen questions need no answers member", "[squad]") {
  const Dataset dataset = parse_dataset(file_of(R"({"id": "q1", "question": "Who?"})"), "test_input.json");
  CHECK(dataset.question_count() == 1);
  CHECK_FALSE(dataset.has_answers());
  const std::string null = file_of(R"({"id": "q1", "question": "Who?", "answers": null})");
  CHECK_FALSE(parse_dataset(null, "test_input.json").has_answers());
  CHECK(parse_dataset("\xef\xbb\xbf" + null, "test_input.json").question_count() == 1);
}

TEST_CASE("dataset: what is not a SQuAD file is refused with the place", "[squad]") {
  const std::string answered = question("q1", R"({"text": "saw", "answer_start": 4})");
  const struct {
    std::string text;
    std::vector<std::string> parts;
  } cases[] = {
      {"{\"data\": [", {"dev.json:1:"}},
      {"[]", {"dev.json", "'data'", "missing"}},
      {"{\"version\": \"1.1\"}", {"dev.json", "'data'", "missing"}},
      {R"({"data": {}})", {"dev.json", "'data'", "wrong type"}},
      {R"({"data": []})", {"dev.json", "no question"}},
      {R"({"data": [{"paragraphs": []}]})", {"dev.json", "no question"}},
      {R"({"data": [{"title": "T"}]})", {"dev.json: article 1", "'paragraphs'", "missing"}},
      {R"({"data": [{"paragraphs": [{"qas": []}]}]})",
       {"dev.json: article 1, paragraph 1", "'context'", "missing"}},
      {R"({"data": [{"paragraphs": [{"context": "c"}]}]})", {"article 1, paragraph 1", "'qas'", "missing"}},
      {R"({"data": [{"paragraphs": [{"context": 5, "qas": []}]}]})",
       {"article 1, paragraph 1", "'context'", "wrong type"}},
      {file_of(R"({"question": "Who?"})"), {"article 1, paragraph 1", "'id'", "missing"}},
      {file_of(R"({"id": "q1"})"), {"article 1, paragraph 1", "'question'", "missing"}},
      {file_of(R"({"id": 7, "question": "Who?"})"), {"article 1, paragraph 1", "'id'", "wrong type"}},
      {file_of(R"({"id": "q1", "question": "Who?", "answers": {}})"),
       {"question q1", "'answers'", "wrong type"}},
      {file_of(question("q1", R"({"answer_start": 4})")), {"question q1", "'text'", "missing"}},
      {file_of(question("q1", R"({"text": "saw", "answer_start": "4"})")),
       {"question q1", "'answer_start'", "wrong type"}},
      {file_of(answered + "," + answered), {"dev.json", "'q1' occurs twice"}},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const std::string said = refusal(c.text);
    for (const auto& part : c.parts) CHECK_THAT(said, Contains(part));
  }
}

TEST_CASE("dataset: answers must stand at their position, counted in code points", "[squad]") {
  CHECK(position_refusal("saw", 4).first == "accepted");
  CHECK(position_refusal("ship.", 10).first == "accepted");
  CHECK(position_refusal("Zoë", 0).first == "accepted");

  const auto shifted = position_refusal("saw", 5);  // where it would stand in bytes
  CHECK_THAT(shifted.first, Contains("dev.json: question q1") && Contains("answer_start 5") &&
                                Contains("'aw ' stands there"));
  CHECK_THAT(shifted.second, Contains("it stands at 4"));

  const auto absent = position_refusal("boat", 4);
  CHECK_THAT(absent.first, Contains("'boat'"));
  CHECK_THAT(absent.second, Contains("does not occur"));

  for (const int64_t start : {int64_t{-1}, int64_t{11}, int64_t{1000}}) {
    const auto outside = position_refusal("ship.", start);
    CHECK_THAT(outside.first, Contains("15 characters"));
    CHECK_THAT(outside.second, Contains("it stands at 10"));
  }
}

TEST_CASE("dataset: the content hash sees the content and not the formatting", "[squad]") {
  const std::string q1 = question("q1", R"({"text": "saw", "answer_start": 4})");
  const std::string hash = content_sha256(parse_dataset(file_of(q1), "a"));
  CHECK(hash.size() == 64);

  std::string spread = file_of(q1);
  for (size_t at = 0; (at = spread.find(", \"", at)) != std::string::npos; at += 4)
    spread.replace(at, 1, "\n, ");
  CHECK(content_sha256(parse_dataset(spread, "b")) == hash);
  CHECK(content_sha256(parse_dataset(
            file_of(R"({"answers": [{"answer_start": 4, "text": "saw"}], "question": "Who?", "id": "q1"})"),
            "c")) == hash);

  const std::string others[] = {
      file_of(question("q2", R"({"text": "saw", "answer_start": 4})")),
      file_of(question("q1", R"({"text": "saw", "answer_start": 5})")),
      file_of(question("q1", R"({"text": "ship", "answer_start": 4})")),
      file_of(question("q1", "")),
      file_of(q1, "Zoë saw a boat."),
      file_of(q1 + "," + question("q2", "")),
      file_of(question("q2", "") + "," + q1),
  };
  std::vector<std::string> hashes{hash};
  for (const auto& other : others) hashes.push_back(content_sha256(parse_dataset(other, "d")));
  std::sort(hashes.begin(), hashes.end());
  CHECK(std::unique(hashes.begin(), hashes.end()) == hashes.end());
}

TEST_CASE("dataset: texts that would run together keep different hashes", "[squad]") {
  const Dataset a{"1.1", {{"T", {{"c", {{"ab", "c", {}}}}}}}}, b{"1.1", {{"T", {{"c", {{"a", "bc", {}}}}}}}};
  CHECK(content_sha256(a) != content_sha256(b));
}
