#include "squad/scoring.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "core/tiles.h"
#include "squad/json_document.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

bool is_ascii_punctuation(char32_t c) {
  return c < 0x80 && is_bert_punctuation(c);
}

/// What Python's str.split() splits at: White_Space and the four information separators.
bool is_python_space(char32_t c) {
  return is_white_space(c) || (c >= 0x1c && c <= 0x1f);
}

/// The length of the article that begins at `at` as a whole word, or 0.
size_t article_length(std::u32string_view text, size_t at) {
  if (at > 0 && is_word_character(text[at - 1])) return 0;
  for (const std::u32string_view article : {U"a", U"an", U"the"}) {
    const size_t end = at + article.size();
    if (text.substr(at, article.size()) == article && (end == text.size() || !is_word_character(text[end]))) {
      return article.size();
    }
  }
  return 0;
}

std::u32string without_articles(std::u32string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = article_length(text, i);
    out += length > 0 ? U' ' : text[i];
    i += std::max<size_t>(1, length);
  }
  return out;
}

/// Of a text of printable ASCII and spaces between words, where \b is where a space is.
std::vector<std::string> normalized_ascii_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::string token;
  const auto end_token = [&] {
    if (!token.empty() && token != "a" && token != "an" && token != "the") tokens.push_back(token);
    token.clear();
  };
  for (const char c : text) {
    const auto lower = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    const bool is_kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (is_kept) token += lower;
    if (c == ' ') end_token();
  }
  end_token();
  return tokens;
}

std::vector<std::string> normalized_tokens(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    return normalized_ascii_tokens(text);
  std::u32string kept;
  for (const char32_t c : python_lower(decode_utf8(text))) {
    if (!is_ascii_punctuation(c)) kept += c;
  }
  std::vector<std::string> tokens;
  std::u32string token;
  for (const char32_t c : without_articles(kept) + U" ") {
    if (!is_python_space(c)) {
      token += c;
    } else if (!token.empty()) {
      tokens.push_back(encode_utf8(token));
      token.clear();
    }
  }
  return tokens;
}

double token_f1(const std::vector<std::string>& prediction, const std::vector<std::string>& gold) {
  std::vector<std::string_view> left(gold.begin(), gold.end());
  int same = 0;
  for (const auto& token : prediction) {
    const auto found = std::find(left.begin(), left.end(), token);
    if (found == left.end()) continue;
    left.erase(found);
    ++same;
  }
  if (same == 0) return 0;
  const double precision = 1.0 * same / static_cast<double>(prediction.size());
  const double recall = 1.0 * same / static_cast<double>(gold.size());
  return (2 * precision * recall) / (precision + recall);
}

}  // namespace

std::string normalize_answer(std::string_view text) {
  return join(normalized_tokens(text), " ");
}

QuestionScore score_answer(const Question& question, std::string_view answer) {
  QuestionScore score{question.id, false, 0, true};
  const auto prediction = normalized_tokens(answer);
  const auto& answers = question.answers;
  for (auto gold_answer = answers.begin(); gold_answer != answers.end(); ++gold_answer) {
    const auto is_same = [&](const Answer& other) { return other.text == gold_answer->text; };
    if (std::any_of(answers.begin(), gold_answer, is_same)) continue;  // most annotators agree
    const auto gold = normalized_tokens(gold_answer->text);
    score.exact = score.exact || prediction == gold;
    score.f1 = std::max(score.f1, token_f1(prediction, gold));
  }
  return score;
}

Score score_predictions(const Dataset& dataset, const Predictions& predictions) {
  const auto paragraphs = numbered_paragraphs(dataset);
  Score score;
  score.questions.resize(dataset.question_count());
  for_each_tile(static_cast<int64_t>(paragraphs.size()), [&](int64_t tile, int64_t) {
    auto [paragraph, at] = paragraphs[static_cast<size_t>(tile)];
    for (const auto& question : paragraph->questions) {
      const auto found = predictions.find(question.id);
      score.questions[at++] = found == predictions.end() ? QuestionScore{question.id, false, 0, false}
                                                         : score_answer(question, found->second);
    }
  });
  double exact_sum = 0, f1_sum = 0;
  for (const auto& question : score.questions) {
    exact_sum += question.exact ? 1 : 0;
    f1_sum += question.f1;
  }
  const auto total = static_cast<double>(score.questions.size());
  score.exact_match = 100.0 * exact_sum / total;
  score.f1 = 100.0 * f1_sum / total;
  return score;
}

size_t unanswered_count(const Score& score) {
  return static_cast<size_t>(std::count_if(score.questions.begin(), score.questions.end(),
                                           [](const QuestionScore& question) { return !question.answered; }));
}

std::string score_line(const Score& score) {
  return fmt::format("{{\"exact_match\": {}, \"f1\": {}}}\n", format_number(score.exact_match),
                     format_number(score.f1));
}

Predictions parse_predictions(std::string_view text, const std::string& source) {
  const JsonDocument json(text, source);
  simdjson::dom::object answers;
  if (json.root().get(answers) != simdjson::SUCCESS)
    throw Error(fmt::format("{}: not an object of question ids and answers", source));
  Predictions predictions;
  for (const auto [id, answer] : answers) {
    std::string_view said;
    if (answer.get(said) != simdjson::SUCCESS)
      throw Error(fmt::format("{}: the answer to question '{}' is not a text", source, id));
    predictions.insert_or_assign(std::string(id), std::string(said));
  }
  return predictions;
}

Predictions read_predictions(const std::filesystem::path& file) {
  return parse_predictions(read_file(file), file.string());
}

}  // namespace expctl
