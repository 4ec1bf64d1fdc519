// From start and end logits to answers: run_squad.py's n-best decoding (get_final_text, max-context check,
// n-best texts without duplicates, softmax over them) or run_qa's (offsets, no max-context).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "squad/dataset.h"
#include "squad/spans.h"

namespace expctl {

/// Start and end logits of every real token of every feature, one after the other.
struct SpanLogits {
  std::vector<float> start;      ///< [tokens]
  std::vector<float> end;        ///< [tokens]
  std::vector<int64_t> offsets;  ///< [features + 1]: feature f owns tokens [offsets[f], offsets[f + 1])
};

struct NBestEntry {
  std::string text;
  double probability = 0;
  double start_logit = 0;
  double end_logit = 0;
};

/// One question's answers, best first; never empty.
struct QuestionPrediction {
  std::string id;
  std::vector<NBestEntry> nbest;
};

/// Ties between equal scores go to the smaller feature, then start, then end, so equal logits give equal
/// files. `features` must be those of `dataset` and `vocabulary`; throws Error where logits and features
/// differ in length, or a logit is not finite.
std::vector<QuestionPrediction> decode_spans(const Dataset& dataset, const std::vector<Feature>& features,
                                             const Vocabulary& vocabulary, const SpanLogits& logits,
                                             const DecodeOptions& options);

/// {question id: text} and {question id: [{"text","probability","start_logit","end_logit"}, ...]}, in dataset
/// order.
Json predictions_json(const std::vector<QuestionPrediction>& predictions);
Json nbest_json(const std::vector<QuestionPrediction>& predictions);

}  // namespace expctl
