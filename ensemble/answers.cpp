#include "ensemble/answers.h"

#include <fmt/core.h>

#include "core/error.h"

namespace expctl {

std::vector<QuestionPrediction> decode_logits(const LogitsFile& logits, const Dataset& dataset,
                                              const Vocabulary& vocabulary, const TrainSpec& resolved,
                                              const std::string& source) {
  const auto features = make_features(dataset, vocabulary, evaluation_feature_options(resolved));
  const LogitsIdentity here{content_sha256(dataset), features_sha256(features),
                            std::to_string(resolved.eval_max_seq_length),
                            std::to_string(resolved.eval_doc_stride), resolved.eval_window};
  if (const auto what = difference(logits.identity, here); !what.empty()) {
    throw Error(
        fmt::format("{}: the dataset, vocabulary or settings are not those its logits were made with: {}",
                    source, what),
        "put the file back, or evaluate the run again");
  }
  return decode_spans(dataset, features, vocabulary, {logits.start, logits.end, logits.offsets},
                      decode_options(resolved));
}

}  // namespace expctl
