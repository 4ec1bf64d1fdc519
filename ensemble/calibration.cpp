#include "ensemble/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/tiles.h"

namespace expctl {
namespace {

/// Of one question: its tokens among all, and where the gold start and end stand among them.
struct Labelled {
  size_t first, last;
  std::vector<size_t> starts, ends;
};

std::vector<Labelled> labelled_questions(const LogitsFile& logits, const AnswerSpace& space,
                                         const std::vector<size_t>& questions) {
  const auto bounds = first_features(space.features, space.dataset.question_count());
  std::vector<Labelled> all;
  for (const size_t question : questions) {
    Labelled labelled{static_cast<size_t>(logits.offsets[bounds[question]]),
                      static_cast<size_t>(logits.offsets[bounds[question + 1]]),
                      {},
                      {}};
    for (size_t i = bounds[question]; i < bounds[question + 1]; ++i) {
      const Feature& feature = space.features[i];
      if (feature.start_position == 0) continue;
      const auto token = static_cast<size_t>(logits.offsets[i]);
      labelled.starts.push_back(token + static_cast<size_t>(feature.start_position));
      labelled.ends.push_back(token + static_cast<size_t>(feature.end_position));
    }
    if (!labelled.starts.empty()) all.push_back(std::move(labelled));
  }
  if (all.empty()) throw Error("no question has an answer to fit a temperature to");
  return all;
}

/// log(sum over the tokens of exp(scale * logit)), less scale * greatest.
template <typename Tokens>
double log_sum(const std::vector<float>& logits, double scale, double greatest, const Tokens& tokens) {
  double sum = 0;
  tokens([&](size_t i) { sum += std::exp(scale * (static_cast<double>(logits[i]) - greatest)); });
  return std::log(sum);
}

double negative_log_likelihood(const LogitsFile& logits, const std::vector<Labelled>& questions,
                               double scale) {
  std::vector<double> losses(questions.size());
  for_each_tile(static_cast<int64_t>(questions.size()), [&](int64_t tile, int64_t) {
    const Labelled& question = questions[static_cast<size_t>(tile)];
    double loss = 0;
    for (const auto& [part, gold] :
         {std::pair{&logits.start, &question.starts}, std::pair{&logits.end, &question.ends}}) {
      const double greatest = *std::max_element(part->begin() + static_cast<std::ptrdiff_t>(question.first),
                                                part->begin() + static_cast<std::ptrdiff_t>(question.last));
      loss += log_sum(*part, scale, greatest, [&](const auto& take) {
        for (size_t i = question.first; i < question.last; ++i) take(i);
      });
      loss -= log_sum(*part, scale, greatest, [&, tokens = gold](const auto& take) {
        for (const size_t i : *tokens) take(i);
      });
    }
    losses[static_cast<size_t>(tile)] = loss;
  });
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace

double logit_deviation(const LogitsFile& logits) {
  double sum = 0, squares = 0;
  for (const auto* part : {&logits.start, &logits.end}) {
    for (const float logit : *part) {
      sum += logit;
      squares += static_cast<double>(logit) * logit;
    }
  }
  const auto count = static_cast<double>(2 * logits.start.size());
  return std::sqrt(std::max(0.0, squares / count - (sum / count) * (sum / count)));
}

double fitted_scale(const LogitsFile& logits, const AnswerSpace& space,
                    const std::vector<size_t>& questions) {
  const auto labelled = labelled_questions(logits, space, questions);
  const auto loss = [&](double log_scale) {
    return negative_log_likelihood(logits, labelled, std::exp(log_scale));
  };
  // Of one gold token the loss is convex in the scale, and falls and then rises in its logarithm; where
  // several windows hold the answer it nearly is. Golden-section search.
  const double kGolden = (std::sqrt(5.0) - 1) / 2;
  double low = -std::log(8.0), high = std::log(8.0);
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double loss_a = loss(a), loss_b = loss(b);
  constexpr double kWidth = 1e-3;
  while (high - low > kWidth) {
    if (loss_a <= loss_b) {
      high = b;
      b = a;
      loss_b = loss_a;
      a = high - kGolden * (high - low);
      loss_a = loss(a);
    } else {
      low = a;
      a = b;
      loss_a = loss_b;
      b = low + kGolden * (high - low);
      loss_b = loss(b);
    }
  }
  return std::exp((low + high) / 2);
}

}  // namespace expctl
