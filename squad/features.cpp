#include "squad/features.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "core/tiles.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

/// A window over a context's tokens: [begin, end).
struct TokenRange {
  int begin;
  int end;
};

Window window_from(const std::string& name) {
  return name == "advance" ? Window::kAdvance : Window::kOverlap;
}

/// The windows of a context of `length` tokens, `room` of which fit beside the question.
std::vector<TokenRange> window_spans(int length, int room, const FeatureOptions& options) {
  std::vector<TokenRange> spans;
  const int step =
      options.window == Window::kOverlap ? room - options.doc_stride : std::min(room, options.doc_stride);
  for (int begin = 0;; begin += step) {
    spans.push_back({begin, std::min(begin + room, length)});
    if (spans.back().end == length) return spans;
  }
}

/// For each window and context token of it: whether no other window gives the token more context
/// (run_squad.py). Of equals the first window has it.
std::vector<std::vector<bool>> max_context_of(const std::vector<TokenRange>& spans, int length) {
  std::vector<std::vector<bool>> result;
  for (const auto& span : spans) result.emplace_back(static_cast<size_t>(span.end - span.begin), false);
  for (int token = 0; token < length; ++token) {
    double best_score = -1;
    size_t best = 0;
    for (size_t i = 0; i < spans.size(); ++i) {
      const auto& span = spans[i];
      if (token < span.begin || token >= span.end) continue;
      const int nearer = std::min(token - span.begin, span.end - 1 - token);
      const double score = nearer + 0.01 * (span.end - span.begin);
      if (score > best_score) {
        best_score = score;
        best = i;
      }
    }
    result[best][static_cast<size_t>(token - spans[best].begin)] = true;
  }
  return result;
}

/// Labels: the first and last token of the first answer, where the window holds it whole.
void label(Feature& feature, const Question& question) {
  if (question.answers.empty() || feature.context_begin == feature.context_end) return;
  const auto& answer = question.answers.front();
  const auto offset = [&](int32_t i) { return feature.offsets[static_cast<size_t>(i)]; };
  const auto window_begin = offset(feature.context_begin).first;
  const auto window_end = offset(feature.context_end - 1).second;
  // The file's number may be anything: nothing is added to it before it is known to lie in the window.
  const int64_t begin = answer.answer_start;
  if (begin < window_begin || begin > window_end) return;
  const int64_t end = begin + static_cast<int64_t>(decode_utf8(answer.text).size());
  if (end > window_end) return;
  int32_t first = feature.context_begin, last = feature.context_end - 1;
  while (first + 1 < feature.context_end && offset(first + 1).first <= begin) ++first;
  while (last - 1 >= feature.context_begin && offset(last - 1).second >= end) --last;
  feature.start_position = first;
  feature.end_position = last;
}

Feature assemble(const std::vector<Token>& question, const std::vector<Token>& context, TokenRange span,
                 const std::vector<bool>& max_context, const Vocabulary& vocabulary) {
  Feature feature;
  const size_t tokens = question.size() + static_cast<size_t>(span.end - span.begin) + 3;
  feature.input_ids.reserve(tokens);
  feature.input_ids.push_back(vocabulary.cls());
  for (const auto& token : question) feature.input_ids.push_back(token.id);
  feature.input_ids.push_back(vocabulary.sep());
  feature.context_begin = static_cast<int32_t>(feature.input_ids.size());
  feature.context_end = feature.context_begin + span.end - span.begin;
  feature.offsets.assign(tokens, {0, 0});
  feature.max_context.assign(tokens, false);
  for (int i = span.begin; i < span.end; ++i) {
    const auto& token = context[static_cast<size_t>(i)];
    const size_t at = feature.input_ids.size();
    feature.input_ids.push_back(token.id);
    feature.offsets[at] = {token.begin, token.end};
    feature.max_context[at] = max_context[static_cast<size_t>(i - span.begin)];
  }
  feature.input_ids.push_back(vocabulary.sep());
  return feature;
}

/// Tokens of context that fit beside a question of so many tokens; throws where none do, or where windows
/// cannot advance.
int room_for(size_t question_tokens, size_t context_tokens, const Question& question,
             const FeatureOptions& options) {
  const int room = options.max_seq_length - 3 - static_cast<int>(question_tokens);
  if (room < 1) {
    throw Error(fmt::format("question {}: its {} tokens leave no room for context at max_seq_length {}",
                            question.id, question_tokens, options.max_seq_length),
                "a longer max_seq_length, or max_query_length to cut questions");
  }
  const bool several = static_cast<int>(context_tokens) > room;
  if (several && options.window == Window::kAdvance && options.doc_stride < 1) {
    throw Error(fmt::format("doc_stride {}: must be at least 1 with window \"advance\"", options.doc_stride));
  }
  if (several && options.window == Window::kOverlap && options.doc_stride >= room) {
    throw Error(
        fmt::format(
            "question {}: doc_stride {} does not advance with room for {} context tokens (max_seq_length {})",
            question.id, options.doc_stride, room, options.max_seq_length),
        "with window \"overlap\" doc_stride is what two windows share: make it smaller");
  }
  return room;
}

/// Of all its questions; each context is tokenized once.
std::vector<Feature> paragraph_features(const NumberedParagraph& numbered, const Vocabulary& vocabulary,
                                        const FeatureOptions& options) {
  std::vector<Feature> features;
  const std::vector<Token> context = tokenize(numbered.paragraph->context, vocabulary);
  const auto length = static_cast<int>(context.size());
  auto index = static_cast<int32_t>(numbered.first_question);
  for (const auto& question : numbered.paragraph->questions) {
    std::vector<Token> tokens = tokenize(question.text, vocabulary);
    if (options.max_query_length > 0 && tokens.size() > static_cast<size_t>(options.max_query_length)) {
      tokens.resize(static_cast<size_t>(options.max_query_length));
    }
    const auto spans =
        window_spans(length, room_for(tokens.size(), context.size(), question, options), options);
    const auto max_context = max_context_of(spans, length);
    for (size_t i = 0; i < spans.size(); ++i) {
      features.push_back(assemble(tokens, context, spans[i], max_context[i], vocabulary));
      features.back().question = index;
      label(features.back(), question);
    }
    ++index;
  }
  return features;
}

}  // namespace

FeatureOptions training_feature_options(const TrainSpec& spec) {
  return {static_cast<int>(spec.max_seq_length), static_cast<int>(spec.doc_stride), window_from(spec.window),
          static_cast<int>(spec.max_query_length)};
}

FeatureOptions evaluation_feature_options(const TrainSpec& spec) {
  return {static_cast<int>(spec.eval_max_seq_length), static_cast<int>(spec.eval_doc_stride),
          window_from(spec.eval_window), static_cast<int>(spec.max_query_length)};
}

std::vector<Feature> make_features(const Dataset& dataset, const Vocabulary& vocabulary,
                                   const FeatureOptions& options) {
  const auto paragraphs = numbered_paragraphs(dataset);
  std::vector<std::vector<Feature>> made(paragraphs.size());
  for_each_tile(static_cast<int64_t>(paragraphs.size()), [&](int64_t tile, int64_t) {
    const auto i = static_cast<size_t>(tile);
    made[i] = paragraph_features(paragraphs[i], vocabulary, options);
  });
  std::vector<Feature> features;
  for (auto& part : made) {
    features.insert(features.end(), std::make_move_iterator(part.begin()),
                    std::make_move_iterator(part.end()));
  }
  return features;
}

std::string features_sha256(const std::vector<Feature>& features) {
  Sha256 hash;
  std::vector<int32_t> numbers;
  for (const auto& feature : features) {
    numbers = {feature.question, static_cast<int32_t>(feature.input_ids.size())};
    numbers.insert(numbers.end(), feature.input_ids.begin(), feature.input_ids.end());
    for (const auto& [begin, end] : feature.offsets) {
      numbers.push_back(begin);
      numbers.push_back(end);
    }
    hash.update({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(int32_t)});
  }
  return hash.hex();
}

}  // namespace expctl
