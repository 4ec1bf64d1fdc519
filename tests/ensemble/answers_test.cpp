#include "ensemble/answers.h"

#include <catch2/catch.hpp>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

struct Case {
  Dataset dataset{"1.1", {{"T", {{"a b c d", {{"q1", "q", {}}}}}}}};
  Vocabulary vocabulary = Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\nq\na\nb\nc\nd", "vocab.txt");
  TrainSpec spec = resolve(TrainSpec{});
  LogitsFile logits;

  Case() {
    const AnswerSpace own = space();
    logits.identity = own.identity;
    logits.offsets = {0, static_cast<int64_t>(own.features[0].input_ids.size())};
    logits.start.assign(own.features[0].input_ids.size(), 0);
    logits.end = logits.start;
    logits.start[4] = 9;  // [CLS] q [SEP] a b c d [SEP]
    logits.end[5] = 9;
  }

  AnswerSpace space() const { return {dataset, vocabulary, spec}; }
};

}  // namespace

TEST_CASE("answers: logits are decoded over the features they were made with", "[ensemble]") {
  const Case c;
  CHECK(c.logits.identity.max_seq_length == "384");
  c.space().check(c.logits, "run1");
  const auto answers = c.space().decode(c.logits);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].nbest[0].text == "b c");
  CHECK(answers[0].nbest[0].start_logit == 9);
}

TEST_CASE("answers: another dataset, vocabulary or stride is refused", "[ensemble]") {
  Case c;
  c.dataset.articles[0].paragraphs[0].questions[0].text = "q q";
  CHECK_THROWS_WITH(
      c.space().check(c.logits, "run1"),
      Contains("run1") && Contains("are not those its logits were made with") && Contains("dataset_sha256"));
  Case v;
  v.vocabulary = Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\nq\nb\na\nc\nd", "vocab.txt");
  CHECK_THROWS_WITH(v.space().check(v.logits, "run1"), Contains("features_sha256"));
  Case s;
  s.spec.eval_doc_stride = 64;
  CHECK_THROWS_WITH(s.space().check(s.logits, "run1"), Contains("doc_stride: 128 and 64"));
}

TEST_CASE("answers: logits whose features have other lengths are refused, whatever their metadata says",
          "[ensemble]") {
  Case c;
  c.dataset.articles[0].paragraphs.push_back({"a b", {{"q2", "q", {}}}});
  c.logits.identity = c.space().identity;
  CHECK_THROWS_WITH(c.space().check(c.logits, "run1"), Contains("its features have other lengths"));
  c.logits.offsets = {0, 0, static_cast<int64_t>(c.logits.start.size())};
  CHECK_THROWS_WITH(c.space().check(c.logits, "run1"), Contains("its features have other lengths"));
}

TEST_CASE("answers: a question's tokens are those of all its windows", "[ensemble]") {
  Case c;
  c.dataset.articles[0].paragraphs.push_back({"a b a b a b a b a b a b", {{"q2", "q", {}}, {"q3", "q", {}}}});
  c.spec.eval_max_seq_length = 8;
  c.spec.eval_doc_stride = 2;
  const AnswerSpace space = c.space();
  const auto bounds = space.question_tokens();
  REQUIRE(bounds.size() == 4);
  size_t tokens = 0;
  for (const auto& feature : space.features) tokens += feature.input_ids.size();
  CHECK(bounds[1] == 8);  // [CLS] q [SEP] a b c d [SEP]
  CHECK(bounds[3] == tokens);
  CHECK(bounds[2] - bounds[1] == bounds[3] - bounds[2]);
}
