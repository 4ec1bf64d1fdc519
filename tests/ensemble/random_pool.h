// Logits of invented members over invented questions, for tests of what combines and chooses them.
#pragma once

#include "core/counter_random.h"
#include "ensemble/answers.h"
#include "ensemble/blend.h"
#include "squad/learn_vocabulary.h"
#include "squad/synthetic.h"

namespace expctl::test {

/// Some 200 questions of synthetic data in windows of at most 48 tokens, most questions in several.
inline AnswerSpace small_space(const std::string& decode = "run_squad") {
  SyntheticOptions options;
  options.train_paragraphs = 2;
  options.dev_paragraphs = 40;
  const auto data = make_synthetic_data(options);
  std::string vocabulary;
  for (const auto& piece : learn_vocabulary(data.dev, 600)) vocabulary += piece + "\n";
  TrainSpec spec;
  spec.max_seq_length = 48;
  spec.doc_stride = 12;
  spec.max_answer_length = 8;
  spec.decode = decode;
  return {data.dev, Vocabulary::parse(vocabulary, "vocab.txt"), resolve(spec)};
}

/// Random logits, larger where the gold answer is: the larger `skill`, the more often right. Rounded to
/// quarters, so that ties are frequent.
inline LogitsMember random_member(const AnswerSpace& space, const std::string& id, uint64_t seed,
                                  double skill) {
  LogitsFile logits;
  logits.identity = space.identity;
  logits.offsets.push_back(0);
  CounterRandom random(seed);
  for (const auto& feature : space.features) {
    const size_t first = logits.start.size();
    for (size_t i = 0; i < feature.input_ids.size(); ++i) {
      logits.start.push_back(static_cast<float>(std::round(8 * random.normal()) / 4));
      logits.end.push_back(static_cast<float>(std::round(8 * random.normal()) / 4));
    }
    if (feature.start_position > 0) {
      logits.start[first + static_cast<size_t>(feature.start_position)] += static_cast<float>(skill);
      logits.end[first + static_cast<size_t>(feature.end_position)] += static_cast<float>(skill);
    }
    logits.offsets.push_back(static_cast<int64_t>(logits.start.size()));
  }
  return {id, 1, logits};
}

}  // namespace expctl::test
