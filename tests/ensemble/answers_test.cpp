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
    const auto features = make_features(dataset, vocabulary, evaluation_feature_options(spec));
    logits.identity = {content_sha256(dataset), features_sha256(features), "384", "128", "overlap"};
    logits.offsets = {0, static_cast<int64_t>(features[0].input_ids.size())};
    logits.start.assign(features[0].input_ids.size(), 0);
    logits.end = logits.start;
    logits.start[4] = 9;  // [CLS] q [SEP] a b c d [SEP]
    logits.end[5] = 9;
  }
};

}  // namespace

TEST_CASE("answers: logits are decoded over the features they were made with", "[ensemble]") {
  const Case c;
  const auto answers = decode_logits(c.logits, c.dataset, c.vocabulary, c.spec, "run1");
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].nbest[0].text == "b c");
  CHECK(answers[0].nbest[0].start_logit == 9);
}

TEST_CASE("answers: another dataset, vocabulary or stride is refused", "[ensemble]") {
  Case c;
  c.dataset.articles[0].paragraphs[0].questions[0].text = "q q";
  CHECK_THROWS_WITH(
      decode_logits(c.logits, c.dataset, c.vocabulary, c.spec, "run1"),
      Contains("run1") && Contains("are not those its logits were made with") && Contains("dataset_sha256"));
  Case v;
  v.vocabulary = Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\nq\nb\na\nc\nd", "vocab.txt");
  CHECK_THROWS_WITH(decode_logits(v.logits, v.dataset, v.vocabulary, v.spec, "run1"),
                    Contains("features_sha256"));
  Case s;
  s.spec.eval_doc_stride = 64;
  CHECK_THROWS_WITH(decode_logits(s.logits, s.dataset, s.vocabulary, s.spec, "run1"),
                    Contains("doc_stride: 128 and 64"));
}
