#include "squad/synthetic.h"

#include <catch2/catch.hpp>
#include <set>

#include "squad/learn_vocabulary.h"
#include "squad/scoring.h"
#include "squad/tokenizer.h"

using namespace expctl;

namespace {

/// The most that an answerer who ignores the question can get: for each paragraph the one answer text that
/// scores best on the mean over all its questions.
double question_blind_f1(const Dataset& dataset) {
  double total = 0;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      const Dataset alone{"1.1", {{"", {paragraph}}}};
      double best = 0;
      for (const auto& guess : paragraph.questions) {
        Predictions same;
        for (const auto& question : paragraph.questions) same[question.id] = guess.answers[0].text;
        best = std::max(best, score_predictions(alone, same).f1);
      }
      total += best * static_cast<double>(paragraph.questions.size());
    }
  }
  return total / static_cast<double>(dataset.question_count());
}

/// The name that an opening sentence introduces.
std::string name_in(const std::string& context) {
  const std::string opening = "This is about ";
  return context.substr(opening.size(), context.find('.') - opening.size());
}

}  // namespace

TEST_CASE("synthetic: the same options give the same data, another seed other data", "[squad]") {
  const auto a = make_synthetic_data({}), b = make_synthetic_data({});
  CHECK(dataset_text(a.train) == dataset_text(b.train));
  CHECK(dataset_text(a.dev) == dataset_text(b.dev));
  CHECK(dataset_text(make_synthetic_data({.seed = 2}).train) != dataset_text(a.train));
}

TEST_CASE("synthetic: a valid dataset whose answers stand where they say", "[squad]") {
  const auto data = make_synthetic_data({});
  for (const auto& set : {data.train, data.dev}) {
    const Dataset read = parse_dataset(dataset_text(set), "generated");
    CHECK(read.question_count() == set.question_count());
    CHECK(read.has_answers());
    CHECK_NOTHROW(check_answer_positions(read, "generated"));
  }
}

TEST_CASE("synthetic: no name and no fact of dev occurs in train", "[squad]") {
  const auto data = make_synthetic_data({});
  std::string train_text;
  for (const auto& article : data.train.articles) {
    for (const auto& paragraph : article.paragraphs) {
      train_text += paragraph.context + "\n";
      for (const auto& question : paragraph.questions) train_text += question.text + "\n";
    }
  }
  for (const auto& article : data.dev.articles) {
    for (const auto& paragraph : article.paragraphs) {
      CHECK(train_text.find(name_in(paragraph.context)) == std::string::npos);
      for (const auto& question : paragraph.questions) {
        INFO(question.answers[0].text);
        CHECK(train_text.find(" " + question.answers[0].text + ".") == std::string::npos);
        CHECK(train_text.find(" " + question.answers[0].text + " ") == std::string::npos);
      }
    }
  }
}

TEST_CASE("synthetic: who does not read the question stays under 30 F1", "[squad]") {
  CHECK(question_blind_f1(make_synthetic_data({}).dev) < 30);
}

TEST_CASE("synthetic: the vocabulary reads every word of dev without [UNK], numbers in pairs of digits",
          "[squad]") {
  const auto data = make_synthetic_data({});
  std::string text;
  for (const auto& piece : learn_vocabulary(data.train, 900)) text += piece + "\n";
  const Vocabulary vocabulary = Vocabulary::parse(text, "learned");
  CHECK(vocabulary.size() <= 900);
  for (const auto& article : data.dev.articles) {
    for (const auto& paragraph : article.paragraphs) {
      for (const auto& token : tokenize(paragraph.context, vocabulary)) REQUIRE(token.id != vocabulary.unk());
    }
  }
  CHECK(tokenize("1834", vocabulary).size() == 2);
}
