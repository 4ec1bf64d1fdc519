#include "squad/span_decode.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/tiles.h"

namespace expctl {
namespace {

void add_probabilities(std::vector<NBestEntry>& nbest) {
  double greatest = -INFINITY, sum = 0;
  for (const auto& entry : nbest) greatest = std::max(greatest, entry.start_logit + entry.end_logit);
  for (auto& entry : nbest) {
    entry.probability = std::exp(entry.start_logit + entry.end_logit - greatest);
    sum += entry.probability;
  }
  for (auto& entry : nbest) entry.probability /= sum;
}

/// Leaves `spans` without those that it has looked at.
std::vector<NBestEntry> best_entries(std::vector<Span>& spans, SpanText& text_of,
                                     const DecodeOptions& options) {
  // A heap: of hundreds of spans some thirty are looked at.
  const auto is_worse = [](const Span& a, const Span& b) { return is_better(b, a); };
  std::make_heap(spans.begin(), spans.end(), is_worse);
  std::vector<NBestEntry> nbest;
  nbest.reserve(static_cast<size_t>(options.n_best));
  while (!spans.empty() && static_cast<int>(nbest.size()) < options.n_best) {
    std::pop_heap(spans.begin(), spans.end(), is_worse);
    const Span span = spans.back();
    spans.pop_back();
    std::string text = text_of(span);
    // run_squad.py keeps a text once; run_qa keeps every span.
    const auto is_it = [&](const NBestEntry& entry) { return entry.text == text; };
    if (options.run_squad && std::any_of(nbest.begin(), nbest.end(), is_it)) continue;
    nbest.push_back({std::move(text), 0, span.start_logit, span.end_logit});
  }
  if (nbest.empty()) nbest.push_back({kNoSpanText, 0, 0, 0});
  add_probabilities(nbest);
  return nbest;
}

/// Comparisons with NaN are no order to sort by, and infinities no probabilities: neither gets past here.
void check_logits(const std::vector<Feature>& features, const SpanLogits& logits) {
  bool fits = logits.offsets.size() == features.size() + 1 && logits.offsets.front() == 0 &&
              logits.start.size() == logits.end.size() &&
              logits.offsets.back() == static_cast<int64_t>(logits.start.size());
  for (size_t i = 0; fits && i < features.size(); ++i) {
    fits = logits.offsets[i + 1] - logits.offsets[i] == static_cast<int64_t>(features[i].input_ids.size());
  }
  if (!fits)
    throw Error("the logits are not over these features",
                "were both made from the same dataset and settings?");
  for (size_t i = 0; i < logits.start.size(); ++i) {
    if (std::isfinite(logits.start[i]) && std::isfinite(logits.end[i])) continue;
    throw Error(fmt::format("token {} of the logits has start {} and end {}: not finite", i, logits.start[i],
                            logits.end[i]),
                "the model that made them has diverged: look at its training loss");
  }
}

}  // namespace

std::vector<QuestionPrediction> decode_spans(const Dataset& dataset, const std::vector<Feature>& features,
                                             const Vocabulary& vocabulary, const SpanLogits& logits,
                                             const DecodeOptions& options) {
  check_logits(features, logits);
  const auto paragraphs = numbered_paragraphs(dataset);
  const auto first = first_features(features, dataset.question_count());
  std::vector<QuestionPrediction> predictions(dataset.question_count());
  for_each_tile(static_cast<int64_t>(paragraphs.size()), [&](int64_t tile, int64_t) {
    auto [paragraph, at] = paragraphs[static_cast<size_t>(tile)];
    SpanText text_of(paragraph->context, features, vocabulary, options);
    SpanFinder finder(options);
    std::vector<Span> spans;
    for (const auto& question : paragraph->questions) {
      spans.clear();
      for (size_t i = first[at]; i < first[at + 1]; ++i) {
        const auto token = static_cast<size_t>(logits.offsets[i]);
        finder.add_all(features[i], i, &logits.start[token], &logits.end[token], spans);
      }
      predictions[at++] = {question.id, best_entries(spans, text_of, options)};
    }
  });
  return predictions;
}

namespace {

/// Appends a member without looking for one of the same name, which would take quadratic time; ids are
/// unique.
void append_member(Json& object, const std::string& name, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(name, std::move(value));
}

}  // namespace

Json predictions_json(const std::vector<QuestionPrediction>& predictions) {
  Json json = Json::object();
  for (const auto& prediction : predictions)
    append_member(json, prediction.id, prediction.nbest.front().text);
  return json;
}

Json nbest_json(const std::vector<QuestionPrediction>& predictions) {
  Json json = Json::object();
  for (const auto& prediction : predictions) {
    Json entries = Json::array();
    for (const auto& entry : prediction.nbest) {
      entries.push_back({{"text", entry.text},
                         {"probability", entry.probability},
                         {"start_logit", entry.start_logit},
                         {"end_logit", entry.end_logit}});
    }
    append_member(json, prediction.id, std::move(entries));
  }
  return json;
}

}  // namespace expctl
