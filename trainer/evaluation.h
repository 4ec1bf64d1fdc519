// The data that a run is evaluated on, and a model's answers to it.
#pragma once

#include <functional>
#include <optional>

#include "core/run_paths.h"
#include "core/run_spec.h"
#include "squad/dataset.h"
#include "squad/scoring.h"
#include "trainer/predict.h"

namespace expctl {

/// Dev data cut into windows once, to be predicted any number of times.
class Evaluation {
 public:
  /// Reads spec.dev_data; `spec` is resolved. Throws Error.
  Evaluation(const Backend& backend, const RunSpec& spec, const Vocabulary& vocabulary);

  /// Whether there is anything to score by.
  bool has_answers() const { return dataset_.has_answers(); }

  /// The score of a model as it is now, without files: for a look during training. Nothing where
  /// `should_stop` has ended it, or the data has no answers.
  std::optional<Score> score(const Checkpoint& checkpoint, const std::function<bool()>& should_stop) const;

  /// Writes logits, answers, inference statistics and, where the data has answers, the score. False where
  /// `should_stop` has ended it before anything was written. Throws Error.
  bool write(const Checkpoint& checkpoint, const RunPaths& paths,
             const std::function<bool()>& should_stop) const;

 private:
  std::optional<Prediction> predict(const Checkpoint& checkpoint,
                                    const std::function<bool()>& should_stop) const;
  std::vector<QuestionPrediction> decode(const Checkpoint& checkpoint, const Prediction& prediction) const;

  const Backend& backend_;
  const TrainSpec& spec_;
  Precision precision_;
  Dataset dataset_;
  std::vector<Feature> features_;
};

}  // namespace expctl
