// The F1 of combinations of a pool, question by question, as fast as a search wants it: of every combination
// only the best answer is found, and what an answer scores is remembered.
#pragma once

#include <cstdint>
#include <vector>

#include "ensemble/answers.h"
#include "ensemble/blend.h"

namespace expctl {

class PoolScorer {
 public:
  /// Both must outlive it, and the questions have answers.
  PoolScorer(const AnswerSpace& space, const Blend& blend);

  /// F1 (0 to 1) of every question, in dataset order, by the first answers that decoding the blend's mean
  /// would give. From one thread at a time; computes on all.
  std::vector<double> question_f1(const std::vector<double>& weights);

 private:
  struct Known {
    Span span;
    double f1;
  };
  double f1_of(const NumberedParagraph& paragraph, size_t question, SpanText& text_of,
               const std::optional<Span>& span);

  const AnswerSpace& space_;
  const Blend& blend_;
  std::vector<NumberedParagraph> paragraphs_;
  std::vector<size_t> first_feature_;  ///< [questions + 1]
  std::vector<SpanText> texts_;        ///< of each paragraph
  std::vector<std::vector<Known>> known_;
};

}  // namespace expctl
