#include "ensemble/calibration.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"
#include "ensemble/article_split.h"
#include "tests/ensemble/random_pool.h"

using namespace expctl;
using namespace expctl::test;

namespace {

LogitsFile scaled(LogitsFile logits, double by) {
  for (auto* part : {&logits.start, &logits.end}) {
    for (auto& logit : *part) logit = static_cast<float>(logit * by);
  }
  return logits;
}

/// Negative log-likelihood of the gold tokens, by its definition.
double loss_at(const LogitsFile& logits, const AnswerSpace& space, double scale) {
  const auto bounds = first_features(space.features, space.dataset.question_count());
  double loss = 0;
  for (size_t question = 0; question + 1 < bounds.size(); ++question) {
    double all[2] = {0, 0}, gold[2] = {0, 0};
    for (size_t i = bounds[question]; i < bounds[question + 1]; ++i) {
      const Feature& feature = space.features[i];
      for (int64_t token = 0; token < static_cast<int64_t>(feature.input_ids.size()); ++token) {
        const auto at = static_cast<size_t>(logits.offsets[i] + token);
        const double values[2] = {std::exp(scale * logits.start[at]), std::exp(scale * logits.end[at])};
        const int positions[2] = {feature.start_position, feature.end_position};
        for (int side = 0; side < 2; ++side) {
          all[side] += values[side];
          if (feature.start_position > 0 && token == positions[side]) gold[side] += values[side];
        }
      }
    }
    if (gold[0] > 0) loss -= std::log(gold[0] / all[0]) + std::log(gold[1] / all[1]);
  }
  return loss;
}

}  // namespace

TEST_CASE("calibration: the fitted temperature makes the gold answers likeliest", "[ensemble]") {
  const AnswerSpace space = small_space();
  const LogitsFile logits = random_member(space, "run1", 3, 6).logits;
  const double scale = fitted_scale(logits, space, all_questions(space.dataset));
  const double least = loss_at(logits, space, scale);
  for (const double other : {0.9, 0.97, 1.03, 1.1}) CHECK(loss_at(logits, space, scale * other) > least);
}

TEST_CASE("calibration: logits k times as large are fitted a scale of 1 / k", "[ensemble]") {
  const AnswerSpace space = small_space();
  const LogitsFile logits = random_member(space, "run1", 3, 6).logits;
  const double scale = fitted_scale(logits, space, all_questions(space.dataset));
  CHECK(fitted_scale(scaled(logits, 2), space, all_questions(space.dataset)) ==
        Approx(scale / 2).epsilon(2e-3));
  CHECK(logit_deviation(scaled(logits, 2)) == Approx(2 * logit_deviation(logits)).epsilon(1e-6));
}

TEST_CASE("calibration: only the questions that are named count, none is an error", "[ensemble]") {
  AnswerSpace space = small_space();
  const LogitsFile logits = random_member(space, "run1", 3, 6).logits;
  CHECK(fitted_scale(logits, space, {0, 1, 2, 3}) != fitted_scale(logits, space, {4, 5, 6, 7}));
  for (auto& feature : space.features) feature.start_position = feature.end_position = 0;
  CHECK_THROWS_AS(fitted_scale(logits, space, all_questions(space.dataset)), Error);
}
