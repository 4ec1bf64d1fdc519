#include "squad/answer_files.h"

#include <fmt/core.h>

#include <limits>
#include <map>

#include "core/error.h"
#include "core/files.h"
#include "squad/json_document.h"

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

namespace {

double logit_of(const simdjson::dom::element& answer, const char* key) {
  double logit = 0;
  return answer[key].get(logit) == simdjson::SUCCESS ? logit : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

NBest parse_nbest(std::string_view text, const std::string& source) {
  const JsonDocument json(text, source);
  const auto refuse = [&](std::string_view id, const char* why) {
    return Error(fmt::format("{}: question '{}': {}", source, id, why));
  };
  simdjson::dom::object questions;
  if (json.root().get(questions) != simdjson::SUCCESS)
    throw Error(fmt::format("{}: not an object of question ids and answers", source));
  NBest nbest;
  for (const auto [id, list] : questions) {
    simdjson::dom::array answers;
    if (list.get(answers) != simdjson::SUCCESS) throw refuse(id, "not a list of answers");
    auto& entries = nbest[std::string(id)];
    entries.clear();
    for (const auto answer : answers) {
      std::string_view said;
      double probability = 0;
      if (answer["text"].get(said) != simdjson::SUCCESS ||
          answer["probability"].get(probability) != simdjson::SUCCESS)
        throw refuse(id, "an answer without text or probability");
      if (!(probability >= 0 && probability <= 1)) throw refuse(id, "a probability that is none");
      entries.push_back(
          {std::string(said), probability, logit_of(answer, "start_logit"), logit_of(answer, "end_logit")});
    }
  }
  return nbest;
}

NBest read_nbest(const std::filesystem::path& file) {
  return parse_nbest(read_file(file), file.string());
}

double probability_score(const NBest& nbest) {
  if (nbest.empty()) throw Error("no n-best answers: there is no probability score");
  std::map<std::string_view, double> first;  // in an order of its own, so that the sum is always the same
  for (const auto& [id, answers] : nbest) {
    if (answers.empty()) throw Error(fmt::format("question '{}' has no n-best answers", id));
    first[id] = answers.front().probability;
  }
  double sum = 0;
  for (const auto& [id, probability] : first) sum += probability;
  return sum / static_cast<double>(first.size());
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
