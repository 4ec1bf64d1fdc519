// From logits back to answers: the features that they are over are made once, and every member is checked
// against them before anything is combined or decoded.
#pragma once

#include <string>
#include <vector>

#include "core/run_paths.h"
#include "core/train_spec.h"
#include "formats/logits_file.h"
#include "squad/span_decode.h"

namespace expctl {

/// A dataset as an evaluation reads it.
struct AnswerSpace {
  /// With the evaluation's length, stride, window and decoding of `resolved`.
  AnswerSpace(Dataset questions, Vocabulary pieces, const TrainSpec& resolved);

  /// Throws Error where these logits are over something else; `source` names them.
  void check(const LogitsFile& logits, const std::string& source) const;
  std::vector<QuestionPrediction> decode(const LogitsFile& logits) const;
  /// Leaves the logits, the answers that they are decoded to and, where the dataset has answers, the score.
  void write(const RunPaths& paths, const LogitsFile& logits) const;
  /// Where the tokens of each question begin among those of all features: [questions + 1].
  std::vector<size_t> question_tokens() const;

  Dataset dataset;
  Vocabulary vocabulary;
  std::vector<Feature> features;
  LogitsIdentity identity;
  DecodeOptions decoding;
};

}  // namespace expctl
