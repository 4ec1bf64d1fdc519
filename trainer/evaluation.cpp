#include "trainer/evaluation.h"

#include <fmt/core.h>

#include "core/files.h"
#include "formats/logits_file.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {

constexpr int64_t kFeaturesPerBatch = 32;

}  // namespace

Evaluation::Evaluation(const Backend& backend, const RunSpec& spec, const Vocabulary& vocabulary)
    : backend_(backend),
      spec_(spec.train),
      precision_(backend.choose_precision(spec.train.eval_precision)),
      dataset_(read_dataset(spec.dev_data.path)),
      features_(make_features(dataset_, vocabulary, evaluation_feature_options(spec.train))) {}

std::optional<Prediction> Evaluation::predict(const Checkpoint& checkpoint,
                                              const std::function<bool()>& should_stop) const {
  return predict_logits(backend_, checkpoint, features_, precision_, kFeaturesPerBatch, should_stop);
}

std::vector<QuestionPrediction> Evaluation::decode(const Checkpoint& checkpoint,
                                                   const Prediction& prediction) const {
  return decode_spans(dataset_, features_, checkpoint.vocabulary, prediction.logits, decode_options(spec_));
}

std::optional<Score> Evaluation::score(const Checkpoint& checkpoint,
                                       const std::function<bool()>& should_stop) const {
  const auto prediction = predict(checkpoint, should_stop);
  return prediction ? score_answers(dataset_, decode(checkpoint, *prediction)) : std::nullopt;
}

bool Evaluation::write(const Checkpoint& checkpoint, const RunPaths& paths,
                       const std::function<bool()>& should_stop) const {
  const auto prediction = predict(checkpoint, should_stop);
  if (!prediction) return false;
  const auto answers = decode(checkpoint, *prediction);
  write_logits(paths.logits(), {{content_sha256(dataset_), features_sha256(features_),
                                 std::to_string(spec_.eval_max_seq_length),
                                 std::to_string(spec_.eval_doc_stride), spec_.eval_window},
                                prediction->logits.start,
                                prediction->logits.end,
                                prediction->logits.offsets});
  const Json stats = inference_stats(prediction->times, kFeaturesPerBatch, spec_.eval_max_seq_length,
                                     std::string(name_of(precision_)));
  write_file(paths.inference_stats(), json_text(stats));
  fmt::print("{}", inference_listing(stats));
  if (const auto score = write_answers(paths, dataset_, answers)) fmt::print("{}", score_line(*score));
  return true;
}

}  // namespace expctl
