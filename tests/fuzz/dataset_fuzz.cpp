// JSON: a SQuAD file, and what is done with one: identity, positions, features, scoring.
#include "squad/features.h"
#include "squad/scoring.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  static const auto vocabulary =
      expctl::Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\nc\n.", "vocab");
  const auto dataset = expctl::parse_dataset(text, "fuzz.json");
  expctl::content_sha256(dataset);
  const expctl::Predictions predictions{{dataset.articles[0].title, "a"}};
  if (dataset.has_answers()) expctl::score_predictions(dataset, predictions);
  expctl::make_features(dataset, vocabulary, {16, 4, expctl::Window::kOverlap, 6});
  expctl::check_answer_positions(dataset, "fuzz.json");
})
