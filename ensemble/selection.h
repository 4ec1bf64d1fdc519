// Which members of a pool, how often each: searches over a score, whatever computes it.
//
// Greedy selection with replacement, a sorted start and bagging are Caruana, Niculescu-Mizil, Crew and
// Ksikes, "Ensemble Selection from Libraries of Models" (ICML 2004).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace expctl {

/// How often each member of the pool is in it: [pool].
using Counts = std::vector<int>;

/// The F1 (0 to 1) of every question by a combination.
using QuestionScorer = std::function<std::vector<double>(const std::vector<double>& weights)>;

/// The combinations that were scored, each once, whoever asks.
class ScoreBook {
 public:
  ScoreBook(size_t pool, QuestionScorer scorer) : pool_(pool), scorer_(std::move(scorer)) {}

  size_t pool() const { return pool_; }
  const std::vector<double>& question_f1(const Counts& counts);
  /// Mean F1 of these questions, in percent.
  double f1(const Counts& counts, const std::vector<size_t>& questions);

 private:
  size_t pool_;
  QuestionScorer scorer_;
  std::map<Counts, std::vector<double>> known_;
};

struct SearchOptions {
  enum class Kind { kGreedy, kOnce, kExhaustive } kind = Kind::kGreedy;
  int max_size = 10;     ///< greedy: members, those chosen again counted again
  int sorted_start = 1;  ///< greedy: it begins with the mean of so many best members
  int bags = 0;          ///< greedy: so many searches, each in a part of the pool, whose choices are added up
  double bag_share = 0.5;  ///< of the pool
  uint64_t seed = 0;       ///< of the bags
};

struct Combination {
  Counts counts;
  double f1 = 0;  ///< percent, of the questions that it was chosen on
};

/// The most that an exhaustive search tries all subsets of.
inline constexpr size_t kExhaustivePool = 12;

/// The combination of two or more different members that the search has chosen on `questions`, then all
/// others of such that it has tried, the best first, of equals the smaller and then the one of earlier
/// members; proportions that are the same count as one. Greedy: at each size the member is added that makes
/// the mean best; the best size counts. With bags the choice is the sum of all bags' choices, each with the
/// same say. Once: each member is tried once, the best first, and stays where the mean is no worse for it (a
/// greedy soup, Wortsman et al. 2022). Exhaustive: every subset, alike weights. Throws Error for a pool of
/// fewer than two or, exhaustive, of more than kExhaustivePool.
std::vector<Combination> search(ScoreBook& book, const std::vector<size_t>& questions,
                                const SearchOptions& options);

/// F1 over all questions where each fold's are answered by what was chosen on the others: an estimate of
/// what the search is worth on questions that nobody chose on. `fold_of` [questions], from 0.
double cross_fitted_f1(ScoreBook& book, const std::vector<int>& fold_of, const SearchOptions& options);

}  // namespace expctl
