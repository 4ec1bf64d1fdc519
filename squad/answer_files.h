// The files that an evaluation leaves in a folder, whoever made its answers: a run, an ensemble, a
// prediction.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/run_paths.h"
#include "squad/dataset.h"
#include "squad/scoring.h"
#include "squad/span_decode.h"

namespace expctl {

/// The score of the best answers, nothing where the dataset has none.
std::optional<Score> score_answers(const Dataset& dataset, const std::vector<QuestionPrediction>& answers);

/// Writes predictions.json and nbest_predictions.json, and where the dataset has answers eval.json, whose
/// score is returned. Throws Error.
std::optional<Score> write_answers(const RunPaths& paths, const Dataset& dataset,
                                   const std::vector<QuestionPrediction>& answers);

/// Each question's answers, best first.
using NBest = std::unordered_map<std::string, std::vector<NBestEntry>>;

/// nbest_predictions.json, of whatever program; a logit that it does not say is NaN. Throws Error naming
/// `source` and the question: an answer without text or probability, a probability that is none.
NBest parse_nbest(std::string_view text, const std::string& source);
NBest read_nbest(const std::filesystem::path& file);

/// The contest's score on unseen data: the mean over questions of the first answer's probability. Throws
/// Error where there is no question, or one without answers.
double probability_score(const NBest& nbest);

/// In how many places predictions and n-best disagree: a question whose answer is not the first of its
/// n-best, or that only one of the two has (several of the latter may count once). Throws Error naming
/// `source` for an n-best entry without a text.
size_t count_nbest_differences(const Predictions& predictions, const Json& nbest, const std::string& source);

}  // namespace expctl
