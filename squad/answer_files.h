// The files that an evaluation leaves in a folder, whoever made its answers: a run, an ensemble, a
// prediction.
#pragma once

#include <optional>
#include <vector>

#include "core/run_paths.h"
#include "squad/dataset.h"
#include "squad/scoring.h"
#include "squad/span_decode.h"

namespace expctl {

/// Writes predictions.json and nbest_predictions.json, and where the dataset has answers eval.json, whose
/// score is returned. It is the score of the file as it was written. Throws Error.
std::optional<Score> write_answers(const RunPaths& paths, const Dataset& dataset,
                                   const std::vector<QuestionPrediction>& answers);

}  // namespace expctl
