#include "squad/spans.h"

#include <algorithm>
#include <tuple>

#include "squad/unicode.h"

namespace expctl {
namespace {

/// The positions of the `count` greatest logits, greatest first, the smaller position of equals.
void find_greatest(const float* logits, size_t size, size_t count, std::vector<int32_t>& best) {
  best.clear();
  for (size_t i = 0; i < size; ++i) {
    const float logit = logits[i];
    if (best.size() == count) {
      if (!(logit > logits[best.back()])) continue;
      best.pop_back();
    }
    auto place = best.end();
    while (place != best.begin() && logit > logits[*(place - 1)]) --place;
    best.insert(place, static_cast<int32_t>(i));
  }
}

}  // namespace

DecodeOptions decode_options(const TrainSpec& resolved) {
  return {static_cast<int>(resolved.n_best), static_cast<int>(resolved.max_answer_length),
          resolved.decode == "run_squad"};
}

bool is_better(const Span& a, const Span& b) {
  const double x = a.score(), y = b.score();
  if (x != y) return x > y;
  return std::tie(a.feature, a.start, a.end) < std::tie(b.feature, b.start, b.end);
}

template <typename Take>
void SpanFinder::visit(const Feature& feature, const float* start, const float* end, const Take& take) {
  const size_t tokens = feature.input_ids.size();
  const auto count = static_cast<size_t>(options_.n_best);
  find_greatest(start, tokens, count, starts_);
  find_greatest(end, tokens, count, ends_);
  const auto in_context = [&](int32_t i) { return i >= feature.context_begin && i < feature.context_end; };
  for (const int32_t s : starts_) {
    if (!in_context(s)) continue;
    if (options_.run_squad && !feature.max_context[static_cast<size_t>(s)]) continue;
    for (const int32_t e : ends_) {
      if (!in_context(e) || e < s || e - s + 1 > options_.max_answer_length) continue;
      if (!take(s, e)) break;
    }
  }
}

void SpanFinder::add_all(const Feature& feature, size_t index, const float* start, const float* end,
                         std::vector<Span>& spans) {
  visit(feature, start, end, [&](int32_t s, int32_t e) {
    spans.push_back({index, s, e, start[s], end[e]});
    return true;
  });
}

void SpanFinder::improve(const Feature& feature, size_t index, const float* start, const float* end,
                         std::optional<Span>& best) {
  visit(feature, start, end, [&](int32_t s, int32_t e) {
    const Span span{index, s, e, start[s], end[e]};
    if (!best || is_better(span, *best)) best = span;
    return span.score() >= best->score();  // ends come in falling order
  });
}

SpanText::SpanText(const std::string& context, const std::vector<Feature>& features,
                   const Vocabulary& vocabulary, const DecodeOptions& options)
    : context_(decode_utf8(context)),
      words_(context_),
      features_(features),
      vocabulary_(vocabulary),
      run_squad_(options.run_squad) {}

std::string SpanText::operator()(const Span& span) {
  const Feature& feature = features_[span.feature];
  const auto begin = feature.offsets[static_cast<size_t>(span.start)].first;
  const auto end = feature.offsets[static_cast<size_t>(span.end)].second;
  if (!run_squad_) {
    return encode_utf8(
        std::u32string_view(context_).substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  }
  pieces_.clear();
  for (int32_t i = span.start; i <= span.end; ++i) {
    pieces_.push_back(vocabulary_.piece(feature.input_ids[static_cast<size_t>(i)]));
  }
  return words_.answer(join_pieces(pieces_), begin, end);
}

std::vector<size_t> first_features(const std::vector<Feature>& features, size_t questions) {
  std::vector<size_t> first(questions + 1, features.size());
  for (size_t i = features.size(); i-- > 0;) first[static_cast<size_t>(features[i].question)] = i;
  for (size_t question = questions; question-- > 0;)
    first[question] = std::min(first[question], first[question + 1]);
  return first;
}

}  // namespace expctl
