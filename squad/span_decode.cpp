#include "squad/span_decode.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "core/error.h"
#include "core/tiles.h"
#include "squad/answer_text.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

/// A candidate: tokens [start, end] of one feature.
struct Candidate {
  size_t feature;
  int32_t start;
  int32_t end;
  float start_logit;
  float end_logit;

  double score() const { return static_cast<double>(start_logit) + static_cast<double>(end_logit); }
};

/// The positions of the `count` greatest logits, the smaller position of equals.
std::vector<int32_t> best_positions(const float* logits, size_t size, int count) {
  std::vector<int32_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  const auto kept =
      order.begin() + std::min(static_cast<std::ptrdiff_t>(size), static_cast<std::ptrdiff_t>(count));
  std::partial_sort(order.begin(), kept, order.end(), [&](int32_t a, int32_t b) {
    const float x = logits[a], y = logits[b];
    return x != y ? x > y : a < b;
  });
  order.erase(kept, order.end());
  return order;
}

void add_candidates(const Feature& feature, size_t index, const SpanLogits& logits,
                    const DecodeOptions& options, std::vector<Candidate>& candidates) {
  const auto first = static_cast<size_t>(logits.offsets[index]);
  const size_t tokens = feature.input_ids.size();
  const auto ends = best_positions(&logits.end[first], tokens, options.n_best);
  const auto in_context = [&](int32_t i) { return i >= feature.context_begin && i < feature.context_end; };
  for (const int32_t start : best_positions(&logits.start[first], tokens, options.n_best)) {
    if (!in_context(start)) continue;
    if (options.run_squad && !feature.max_context[static_cast<size_t>(start)]) continue;
    for (const int32_t end : ends) {
      if (!in_context(end) || end < start || end - start + 1 > options.max_answer_length) continue;
      candidates.push_back({index, start, end, logits.start[first + static_cast<size_t>(start)],
                            logits.end[first + static_cast<size_t>(end)]});
    }
  }
}

/// Everything of one question that turns a candidate into a text.
class TextMaker {
 public:
  TextMaker(const std::string& context, const std::vector<Feature>& features, const Vocabulary& vocabulary,
            bool run_squad)
      : context_(decode_utf8(context)),
        words_(context_),
        features_(features),
        vocabulary_(vocabulary),
        run_squad_(run_squad) {}

  std::string text_of(const Candidate& candidate) const {
    const Feature& feature = features_[candidate.feature];
    const auto begin = feature.offsets[static_cast<size_t>(candidate.start)].first;
    const auto end = feature.offsets[static_cast<size_t>(candidate.end)].second;
    if (!run_squad_) {
      return encode_utf8(
          std::u32string_view(context_).substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
    }
    std::vector<std::string_view> pieces;
    for (int32_t i = candidate.start; i <= candidate.end; ++i) {
      pieces.push_back(vocabulary_.piece(feature.input_ids[static_cast<size_t>(i)]));
    }
    return final_text(join_pieces(pieces), words_.around(begin, end));
  }

 private:
  std::u32string context_;
  ContextWords words_;
  const std::vector<Feature>& features_;
  const Vocabulary& vocabulary_;
  bool run_squad_;
};

void add_probabilities(std::vector<NBestEntry>& nbest) {
  double greatest = -INFINITY, sum = 0;
  for (const auto& entry : nbest) greatest = std::max(greatest, entry.start_logit + entry.end_logit);
  for (auto& entry : nbest) {
    entry.probability = std::exp(entry.start_logit + entry.end_logit - greatest);
    sum += entry.probability;
  }
  for (auto& entry : nbest) entry.probability /= sum;
}

std::vector<NBestEntry> best_entries(std::vector<Candidate> candidates, const TextMaker& texts,
                                     const DecodeOptions& options) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::make_tuple(-a.score(), a.feature, a.start, a.end) <
           std::make_tuple(-b.score(), b.feature, b.start, b.end);
  });
  std::vector<NBestEntry> nbest;
  std::unordered_set<std::string> seen;
  for (const auto& candidate : candidates) {
    if (static_cast<int>(nbest.size()) >= options.n_best) break;
    std::string text = texts.text_of(candidate);
    // run_squad.py keeps a text once; run_qa keeps every span.
    if (options.run_squad && !seen.insert(text).second) continue;
    nbest.push_back({std::move(text), 0, candidate.start_logit, candidate.end_logit});
  }
  // Where no span is possible both programs answer with this word.
  if (nbest.empty()) nbest.push_back({"empty", 0, 0, 0});
  add_probabilities(nbest);
  return nbest;
}

/// Where the features of a question begin, in their order.
size_t first_feature(const std::vector<Feature>& features, size_t question) {
  const auto found = std::partition_point(features.begin(), features.end(), [&](const Feature& feature) {
    return feature.question < static_cast<int32_t>(question);
  });
  return static_cast<size_t>(found - features.begin());
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

DecodeOptions decode_options(const TrainSpec& resolved) {
  return {static_cast<int>(resolved.n_best), static_cast<int>(resolved.max_answer_length),
          resolved.decode == "run_squad"};
}

std::vector<QuestionPrediction> decode_spans(const Dataset& dataset, const std::vector<Feature>& features,
                                             const Vocabulary& vocabulary, const SpanLogits& logits,
                                             const DecodeOptions& options) {
  check_logits(features, logits);
  const auto paragraphs = numbered_paragraphs(dataset);
  std::vector<QuestionPrediction> predictions(dataset.question_count());
  for_each_tile(static_cast<int64_t>(paragraphs.size()), [&](int64_t tile, int64_t) {
    auto [paragraph, at] = paragraphs[static_cast<size_t>(tile)];
    const TextMaker texts(paragraph->context, features, vocabulary, options.run_squad);
    size_t feature = first_feature(features, at);
    for (const auto& question : paragraph->questions) {
      std::vector<Candidate> candidates;
      for (; feature < features.size() && features[feature].question == static_cast<int32_t>(at); ++feature)
        add_candidates(features[feature], feature, logits, options, candidates);
      predictions[at++] = {question.id, best_entries(std::move(candidates), texts, options)};
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
