// Scores of runs whose true F1 is known: a made-up dev set of articles, paragraphs and questions, configs,
// seeds.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/counter_random.h"
#include "core/distributions.h"
#include "squad/scoring.h"

namespace expctl::test {

/// Every value is of a normal law, in units of the latent difficulty; answers are right (F1 1), half right or
/// wrong (F1 0) as the sum of theirs falls, so that a question's F1 has two heads as real ones have. With
/// these values config 0 has an F1 of 86, two seeds of it differ on 12 % of the questions, and one point of
/// F1 is some 0.05.
struct SweepLaw {
  size_t articles = 8, paragraphs = 320, questions = 1700;
  double article_sd = 0.2, paragraph_sd = 0.3, question_sd = 1;  ///< of all runs alike
  double config_article_sd = 0;                                  ///< what a config is better at
  double config_paragraph_sd = 0.12, config_question_sd = 0.2;
  double seed_question_sd = 0.35;  ///< of a training, on each question
};

struct SimulatedConfig {
  double gain = 0;  ///< true F1 less that of config 0, points
  std::vector<int64_t> seeds;
  double seed_sd = 0.3;  ///< of the F1 of its trainings on all questions there are, points
};

struct SimulatedSweep {
  std::vector<size_t> paragraph_of, article_of;      ///< [questions]
  std::vector<std::vector<std::vector<double>>> f1;  ///< [configs][seeds][questions], 0..1
  std::vector<std::vector<double>>
      true_f1;  ///< [configs][seeds], points: of these trainings on all questions
};

inline Score score_of(const std::vector<double>& f1) {
  Score score;
  for (size_t i = 0; i < f1.size(); ++i)
    score.questions.push_back({std::to_string(i), f1[i] == 1, f1[i], true});
  return score;
}

class SweepSimulator {
 public:
  /// `shared`: the part of the variance of a seed's effect that all configs have in common.
  SweepSimulator(SweepLaw law, std::vector<SimulatedConfig> configs, double shared = 0)
      : law_(law), configs_(std::move(configs)), shared_(shared) {
    for (const auto& config : configs_) levels_.push_back(level_of(kBaseF1 + config.gain));
  }

  SimulatedSweep draw(uint64_t key) const {
    CounterRandom random(key);
    SimulatedSweep sweep;
    const auto common = draw_questions(random, sweep);
    std::vector<double> shared_effect(1000);
    for (auto& effect : shared_effect) effect = random.normal();
    for (size_t c = 0; c < configs_.size(); ++c) {
      const auto own = draw_config(random, sweep, common);
      auto& runs = sweep.f1.emplace_back();
      auto& truths = sweep.true_f1.emplace_back();
      for (const int64_t seed : configs_[c].seeds) {
        const double effect = std::sqrt(shared_) * shared_effect[static_cast<size_t>(seed)] +
                              std::sqrt(1 - shared_) * random.normal();
        const double level = levels_[c] + configs_[c].seed_sd * effect / slope(levels_[c]);
        truths.push_back(f1_of(level));
        auto& f1 = runs.emplace_back();
        for (size_t q = 0; q < law_.questions; ++q)
          f1.push_back(answer(level + own[q] + law_.seed_question_sd * random.normal()));
      }
    }
    return sweep;
  }

 private:
  static constexpr double kBaseF1 = 86, kHalfRight = 0.3;

  static double answer(double latent) { return latent > 0 ? 1 : latent > -kHalfRight ? 0.5 : 0; }

  double spread() const {
    double squares = 0;
    for (const double sd : {law_.article_sd, law_.paragraph_sd, law_.question_sd, law_.config_article_sd,
                            law_.config_paragraph_sd, law_.config_question_sd, law_.seed_question_sd})
      squares += sd * sd;
    return std::sqrt(squares);
  }
  /// The expected F1 of a training, points, over all questions.
  double f1_of(double level) const {
    return 50 * (normal_probability(level / spread()) + normal_probability((level + kHalfRight) / spread()));
  }
  double slope(double level) const { return (f1_of(level + 1e-4) - f1_of(level - 1e-4)) / 2e-4; }
  double level_of(double f1) const {
    double low = -9, high = 9;
    for (int i = 0; i < 100; ++i) (f1_of((low + high) / 2) < f1 ? low : high) = (low + high) / 2;
    return low;
  }

  /// The part of the latent value that all runs have in common, [questions].
  std::vector<double> draw_questions(CounterRandom& random, SimulatedSweep& sweep) const {
    // Paragraphs have from one to a dozen questions, articles from a few to many paragraphs.
    std::vector<double> weights(law_.paragraphs);
    double sum = 0;
    for (auto& weight : weights) sum += weight = 0.3 + -std::log(1 - random.uniform());
    std::vector<size_t> article_of(law_.paragraphs);
    for (size_t p = 0; p < law_.paragraphs; ++p) article_of[p] = p * law_.articles / law_.paragraphs;
    std::vector<double> common;
    std::vector<double> article(law_.articles), paragraph(law_.paragraphs);
    for (auto& effect : article) effect = law_.article_sd * random.normal();
    for (auto& effect : paragraph) effect = law_.paragraph_sd * random.normal();
    double filled = 0;
    size_t p = 0;
    for (size_t q = 0; q < law_.questions; ++q) {
      const double at = (static_cast<double>(q) + 0.5) * sum / static_cast<double>(law_.questions);
      while (p + 1 < law_.paragraphs && filled + weights[p] < at) filled += weights[p++];
      sweep.paragraph_of.push_back(p);
      sweep.article_of.push_back(article_of[p]);
      common.push_back(article[article_of[p]] + paragraph[p] + law_.question_sd * random.normal());
    }
    return common;
  }

  std::vector<double> draw_config(CounterRandom& random, const SimulatedSweep& sweep,
                                  const std::vector<double>& common) const {
    std::vector<double> article(law_.articles), paragraph(law_.paragraphs), own;
    for (auto& effect : article) effect = law_.config_article_sd * random.normal();
    for (auto& effect : paragraph) effect = law_.config_paragraph_sd * random.normal();
    for (size_t q = 0; q < law_.questions; ++q) {
      own.push_back(common[q] + article[sweep.article_of[q]] + paragraph[sweep.paragraph_of[q]] +
                    law_.config_question_sd * random.normal());
    }
    return own;
  }

  SweepLaw law_;
  std::vector<SimulatedConfig> configs_;
  double shared_;
  std::vector<double> levels_;
};

}  // namespace expctl::test
