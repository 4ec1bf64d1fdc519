#include "ensemble/answers.h"

#include <fmt/core.h>

#include "core/error.h"
#include "squad/answer_files.h"

namespace expctl {

AnswerSpace::AnswerSpace(Dataset questions, Vocabulary pieces, const TrainSpec& resolved)
    : dataset(std::move(questions)),
      vocabulary(std::move(pieces)),
      features(make_features(dataset, vocabulary, evaluation_feature_options(resolved))),
      identity{content_sha256(dataset), features_sha256(features),
               std::to_string(resolved.eval_max_seq_length), std::to_string(resolved.eval_doc_stride),
               resolved.eval_window},
      decoding(decode_options(resolved)) {}

void AnswerSpace::check(const LogitsFile& logits, const std::string& source) const {
  std::string what = difference(logits.identity, identity);
  bool fits = logits.offsets.size() == features.size() + 1;
  for (size_t i = 0; fits && i < features.size(); ++i) {
    fits = logits.offsets[i + 1] - logits.offsets[i] == static_cast<int64_t>(features[i].input_ids.size());
  }
  if (what.empty() && !fits) what = "its features have other lengths";
  if (what.empty()) return;
  throw Error(
      fmt::format("{}: the dataset, vocabulary or settings are not those its logits were made with: {}",
                  source, what),
      "put the file back, or evaluate the run again");
}

std::vector<QuestionPrediction> AnswerSpace::decode(const LogitsFile& logits) const {
  return decode_spans(dataset, features, vocabulary, {logits.start, logits.end, logits.offsets}, decoding);
}

void AnswerSpace::write(const RunPaths& paths, const LogitsFile& logits) const {
  write_logits(paths.logits(), logits);
  write_answers(paths, dataset, decode(logits));
}

std::vector<size_t> AnswerSpace::question_tokens() const {
  std::vector<size_t> before(features.size() + 1, 0);
  for (size_t i = 0; i < features.size(); ++i) before[i + 1] = before[i] + features[i].input_ids.size();
  auto bounds = first_features(features, dataset.question_count());
  for (auto& bound : bounds) bound = before[bound];
  return bounds;
}

}  // namespace expctl
