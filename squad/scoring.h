// The official evaluation of SQuAD 1.1 (evaluate-v1.1.py): exact match and F1, digit for digit.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/json.h"
#include "squad/dataset.h"

namespace expctl {

struct QuestionScore {
  std::string id;
  bool exact = false;
  double f1 = 0;  ///< 0..1, maximum over the gold answers
  bool answered = true;
};

struct Score {
  double exact_match = 0;                ///< percent
  double f1 = 0;                         ///< percent
  std::vector<QuestionScore> questions;  ///< in dataset order
};

using Predictions = std::unordered_map<std::string, std::string>;

/// Lower case, without ASCII punctuation, without the words a, an, the; single spaces.
std::string normalize_answer(std::string_view text);

/// Exact match and F1 of one answer to one question.
QuestionScore score_answer(const Question& question, std::string_view answer);

Score score_predictions(const Dataset& dataset, const Predictions& predictions);

/// How many questions have no answer.
size_t unanswered_count(const Score& score);

/// `{"exact_match": 86.2, "f1": 92.1}` and a line break: what `expctl score` prints and eval.json holds.
std::string score_line(const Score& score);

/// predictions.json: an object of texts. Throws Error naming the source and the id.
Predictions parse_predictions(std::string_view text, const std::string& source);
Predictions read_predictions(const std::filesystem::path& file);

}  // namespace expctl
