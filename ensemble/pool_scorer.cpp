#include "ensemble/pool_scorer.h"

#include "core/tiles.h"
#include "squad/scoring.h"

namespace expctl {

PoolScorer::PoolScorer(const AnswerSpace& space, const Blend& blend)
    : space_(space),
      blend_(blend),
      paragraphs_(numbered_paragraphs(space.dataset)),
      first_feature_(first_features(space.features, space.dataset.question_count())),
      known_(space.dataset.question_count()) {
  for (const auto& [paragraph, first] : paragraphs_)
    texts_.emplace_back(paragraph->context, space.features, space.vocabulary, space.decoding);
}

double PoolScorer::f1_of(const NumberedParagraph& paragraph, size_t question, SpanText& text_of,
                         const std::optional<Span>& span) {
  const Question& asked = paragraph.paragraph->questions[question - paragraph.first_question];
  if (!span) return score_answer(asked, kNoSpanText).f1;
  for (const auto& [seen, f1] : known_[question]) {
    if (seen.feature == span->feature && seen.start == span->start && seen.end == span->end) return f1;
  }
  const double f1 = score_answer(asked, text_of(*span)).f1;
  known_[question].push_back({*span, f1});
  return f1;
}

std::vector<double> PoolScorer::question_f1(const std::vector<double>& weights) {
  std::vector<double> scores(known_.size());
  for_each_tile(static_cast<int64_t>(paragraphs_.size()), [&](int64_t tile, int64_t) {
    const auto& paragraph = paragraphs_[static_cast<size_t>(tile)];
    SpanFinder finder(space_.decoding);
    std::vector<float> start, end;
    for (size_t i = 0; i < paragraph.paragraph->questions.size(); ++i) {
      const size_t question = paragraph.first_question + i;
      std::optional<Span> best;
      for (size_t feature = first_feature_[question]; feature < first_feature_[question + 1]; ++feature) {
        const auto first = static_cast<size_t>(blend_.offsets()[feature]);
        const auto last = static_cast<size_t>(blend_.offsets()[feature + 1]);
        start.resize(last - first);
        end.resize(last - first);
        blend_.mean(weights, first, last, start.data(), end.data());
        finder.improve(space_.features[feature], feature, start.data(), end.data(), best);
      }
      scores[question] = f1_of(paragraph, question, texts_[static_cast<size_t>(tile)], best);
    }
  });
  return scores;
}

}  // namespace expctl
