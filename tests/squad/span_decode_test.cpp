#include "squad/span_decode.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

const Vocabulary& letters() {
  static const Vocabulary vocabulary =
      Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\nq\na\nb\nc\nd\ne\nf", "vocab.txt");
  return vocabulary;
}

/// One question "q" over a context, its features (context tokens begin at token 3), and logits of 0
/// everywhere.
struct Case {
  Dataset dataset;
  std::vector<Feature> features;
  SpanLogits logits;

  explicit Case(const std::string& context, FeatureOptions options = {})
      : dataset{"1.1", {{"T", {{context, {{"q1", "q", {}}}}}}}},
        features(make_features(dataset, letters(), options)) {
    logits.offsets.push_back(0);
    for (const auto& feature : features) {
      logits.offsets.push_back(logits.offsets.back() + static_cast<int64_t>(feature.input_ids.size()));
    }
    logits.start.resize(static_cast<size_t>(logits.offsets.back()));
    logits.end = logits.start;
  }

  std::vector<QuestionPrediction> decode(const DecodeOptions& options = {}) const {
    return decode_spans(dataset, features, letters(), logits, options);
  }

  /// The texts of the one question, best first: "a|a b|b".
  std::string texts(const DecodeOptions& options = {}) const {
    std::vector<std::string> shown;
    const auto predictions = decode(options);
    for (const auto& entry : predictions.at(0).nbest) shown.push_back(entry.text);
    return join(shown, "|");
  }
};

const DecodeOptions kRunQa{20, 30, false};

}  // namespace

TEST_CASE("span decode: the best pair of logits is the answer", "[squad]") {
  Case c("a b c d");
  c.logits.start[4] = 5;
  c.logits.end[5] = 4;
  const auto predictions = c.decode();
  REQUIRE(predictions.size() == 1);
  CHECK(predictions[0].id == "q1");
  const auto& best = predictions[0].nbest.front();
  CHECK(best.text == "b c");
  CHECK(best.start_logit == 5);
  CHECK(best.end_logit == 4);
  // One span of 9; b, b c d have 5; a b c, c have 4; five have 0.
  const double sum = std::exp(9) + 2 * std::exp(5) + 2 * std::exp(4) + 5;
  CHECK(best.probability == Approx(std::exp(9) / sum));
}

TEST_CASE("span decode: equal scores go to the smaller start, then end", "[squad]") {
  const Case c("a b c");
  for (const bool run_squad : {true, false}) CHECK(c.texts({20, 30, run_squad}) == "a|a b|a b c|b|b c|c");
  CHECK(c.texts({20, 2, true}) == "a|a b|b|b c|c");
}

TEST_CASE("span decode: run_squad keeps a text once, run_qa every span", "[squad]") {
  const Case c("a b a");
  CHECK(c.texts() == "a|a b|a b a|b|b a");
  CHECK(c.texts(kRunQa) == "a|a b|a b a|b|b a|a");
}

TEST_CASE("span decode: an answer never ends before it starts", "[squad]") {
  Case c("a b c d");
  c.logits.start[6] = 9;
  c.logits.end[3] = 9;
  CHECK(c.decode()[0].nbest[0].text == "a");
  CHECK(c.decode()[0].nbest[1].text == "d");
}

TEST_CASE("span decode: run_squad starts only where the window gives the most context", "[squad]") {
  Case c("a b c d e f",
         {8, 2, Window::kOverlap, 0});  // windows abcd and cdef; d has more context in the second
  REQUIRE(c.features.size() == 2);
  c.logits.start[6] = 9;
  CHECK(c.decode()[0].nbest[0].text == "a");
  CHECK(c.decode(kRunQa)[0].nbest[0].text == "d");
}

TEST_CASE("span decode: run_qa gives the context as it stands, run_squad its words", "[squad]") {
  Case c("A  b");
  c.logits.start[3] = 1;
  c.logits.end[4] = 1;
  CHECK(c.decode()[0].nbest[0].text == "A b");
  CHECK(c.decode(kRunQa)[0].nbest[0].text == "A  b");
}

TEST_CASE("span decode: where no span is possible the answer is 'empty', surely", "[squad]") {
  Case on_cls("a b");
  on_cls.logits.start[0] = 9;
  const Case no_context("");
  for (const auto& predictions :
       {on_cls.decode({1, 30, true}), on_cls.decode({1, 30, false}), no_context.decode()}) {
    REQUIRE(predictions.size() == 1);
    REQUIRE(predictions[0].nbest.size() == 1);
    CHECK(predictions[0].nbest[0].text == "empty");
    CHECK(predictions[0].nbest[0].probability == 1);
  }
}

TEST_CASE("span decode: only the n_best greatest starts and ends are paired, those outside the context too",
          "[squad]") {
  Case c("a b c d");
  c.logits.start[4] = 5;  // b
  c.logits.start[3] = 4;  // a; d comes after both and is less
  c.logits.start[6] = 3;
  c.logits.end = c.logits.start;
  CHECK(c.texts({2, 30, false}) == "b|a b");
  CHECK(c.decode({3, 30, false})[0].nbest.size() == 3);
  CHECK(c.texts({3, 30, false}) == "b|a b|a");
  c.logits.start[0] = 9;  // [CLS] takes one of the two places
  CHECK(c.texts({2, 30, false}) == "b");
  c.logits.end[0] = 9;
  CHECK(c.texts({2, 30, true}) == "b");
  c.logits.end[4] = 0;  // the ends are now [CLS] and a, which is before b
  CHECK(c.texts({2, 30, true}) == "empty");
}

TEST_CASE("span decode: n_best bounds the entries, and their probabilities sum to 1", "[squad]") {
  Case c("a b c d e f");
  for (size_t i = 0; i < c.logits.start.size(); ++i) {
    c.logits.start[i] = static_cast<float>(i * 7 % 5) * 100;  // exp() of these alone would overflow
    c.logits.end[i] = static_cast<float>(i * 3 % 4);
  }
  for (const int n_best : {1, 2, 5, 20}) {
    for (const bool run_squad : {true, false}) {
      const auto nbest = c.decode({n_best, 30, run_squad})[0].nbest;
      CHECK(nbest.size() <= static_cast<size_t>(n_best));
      double sum = 0;
      for (size_t i = 0; i < nbest.size(); ++i) {
        sum += nbest[i].probability;
        if (i > 0) CHECK(nbest[i].probability <= nbest[i - 1].probability);
      }
      CHECK(sum == Approx(1).epsilon(1e-12));
    }
  }
}

TEST_CASE("span decode: logits that are not over the features are refused", "[squad]") {
  const std::vector<std::pair<const char*, void (*)(SpanLogits&)>> faults = {
      {"one start short", [](SpanLogits& logits) { logits.start.pop_back(); }},
      {"one end more", [](SpanLogits& logits) { logits.end.push_back(0); }},
      {"no offsets", [](SpanLogits& logits) { logits.offsets.clear(); }},
      {"a feature missing", [](SpanLogits& logits) { logits.offsets.erase(logits.offsets.begin() + 1); }},
      {"not from 0", [](SpanLogits& logits) { logits.offsets.front() = 1; }},
      {"another boundary", [](SpanLogits& logits) { ++logits.offsets[1]; }},
      {"another boundary of later ones", [](SpanLogits& logits) { ++logits.offsets[2]; }},
  };
  for (const auto& [name, fault] : faults) {
    INFO(name);
    Case c("a b c d e f", {7, 1, Window::kOverlap, 0});
    REQUIRE(c.features.size() > 2);
    CHECK_NOTHROW(c.decode());
    fault(c.logits);
    CHECK_THROWS_WITH(c.decode(), Contains("not over these features"));
  }
}

TEST_CASE("span decode: a logit that is not finite is refused by its token", "[squad]") {
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    Case start("a b c"), end("a b c");
    start.logits.start[4] = value;
    end.logits.end[5] = value;
    CHECK_THROWS_AS(start.decode(), Error);
    CHECK_THROWS_WITH(start.decode(), Contains("token 4") && Contains("not finite"));
    CHECK_THROWS_WITH(end.decode(kRunQa), Contains("token 5") && Contains("not finite"));
  }
}

TEST_CASE("span decode: the files hold every question in order", "[squad]") {
  const std::vector<QuestionPrediction> predictions = {{"z", {{"ship", 0.75, 2, 1}, {"sea", 0.25, 1, 1}}},
                                                       {"b", {{"bridge", 0.5, 0, -1}, {"a", 0.5, 0, -1}}}};
  CHECK(predictions_json(predictions).dump() == R"({"z":"ship","b":"bridge"})");
  CHECK(nbest_json({predictions[0]}).dump() ==
        R"({"z":[{"text":"ship","probability":0.75,"start_logit":2.0,"end_logit":1.0},)"
        R"({"text":"sea","probability":0.25,"start_logit":1.0,"end_logit":1.0}]})");
}
