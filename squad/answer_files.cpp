#include "squad/answer_files.h"

#include "core/files.h"

namespace expctl {

std::optional<Score> write_answers(const RunPaths& paths, const Dataset& dataset,
                                   const std::vector<QuestionPrediction>& answers) {
  const std::string predictions = json_text(predictions_json(answers));
  write_file(paths.predictions(), predictions);
  write_file(paths.nbest(), json_text(nbest_json(answers)));
  if (!dataset.has_answers()) return std::nullopt;
  const Score score =
      score_predictions(dataset, parse_predictions(predictions, paths.predictions().string()));
  write_file(paths.eval(), score_line(score));
  return score;
}

}  // namespace expctl
