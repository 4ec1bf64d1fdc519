#include "squad/answer_files.h"

#include "core/files.h"

namespace expctl {

std::optional<Score> score_answers(const Dataset& dataset, const std::vector<QuestionPrediction>& answers) {
  if (!dataset.has_answers()) return std::nullopt;
  // Of the texts as a file of them reads, where invalid UTF-8 has been replaced.
  return score_predictions(dataset, parse_predictions(json_text(predictions_json(answers)), "answers"));
}

std::optional<Score> write_answers(const RunPaths& paths, const Dataset& dataset,
                                   const std::vector<QuestionPrediction>& answers) {
  write_file(paths.predictions(), json_text(predictions_json(answers)));
  write_file(paths.nbest(), json_text(nbest_json(answers)));
  const auto score = score_answers(dataset, answers);
  if (score) write_file(paths.eval(), score_line(*score));
  return score;
}

size_t count_nbest_differences(const Predictions& predictions, const Json& nbest, const std::string& source) {
  size_t differences = predictions.size() == nbest.size() ? 0 : 1;
  for (const auto& [id, list] : nbest.items()) {
    const auto found = predictions.find(id);
    const bool same = found != predictions.end() && list.is_array() && !list.empty() &&
                      json_get<std::string>(list[0], "text", source) == found->second;
    if (!same) ++differences;
  }
  return differences;
}

}  // namespace expctl
