#include "ensemble/selection.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/counter_random.h"
#include "core/error.h"

namespace expctl {
namespace {

int size_of(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

int different(const Counts& counts) {
  return static_cast<int>(std::count_if(counts.begin(), counts.end(), [](int n) { return n > 0; }));
}

/// The same proportions with the smallest counts.
Counts reduced(Counts counts) {
  int divisor = 0;
  for (const int count : counts) divisor = std::gcd(divisor, count);
  if (divisor > 1) {
    for (int& count : counts) count /= divisor;
  }
  return counts;
}

/// The sum of choices, each with the same say however many members it has: exact where whole numbers up to a
/// limit can be, else each rounded once.
Counts summed_alike(const std::vector<Counts>& choices) {
  const int64_t limit = 1'000'000'000 / static_cast<int64_t>(choices.size());  // of one choice's say
  int64_t say = 1;
  for (const auto& chosen : choices) say = std::min<int64_t>(limit, std::lcm(say, size_of(chosen)));
  std::vector<double> sums(choices.front().size(), 0);
  for (const auto& chosen : choices) {
    const double of_one = static_cast<double>(say) / size_of(chosen);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += chosen[i] * of_one;
  }
  Counts counts;
  for (const double sum : sums) counts.push_back(static_cast<int>(std::lround(sum)));
  return counts;
}

/// All that one search tries on one set of questions.
class Search {
 public:
  Search(ScoreBook& book, const std::vector<size_t>& questions) : book_(book), questions_(questions) {}

  double f1(const Counts& counts) {
    const Counts smallest = reduced(counts);
    const auto known = tried_.find(smallest);
    if (known != tried_.end()) return known->second;
    return tried_[smallest] = book_.f1(smallest, questions_);
  }

  /// From the best `start` of `pool` on; the best of the sizes on the way.
  Counts greedy(const std::vector<size_t>& pool, const SearchOptions& options) {
    Counts now = best_alone(pool, std::min(options.sorted_start, options.max_size)), best = now;
    f1(now);
    while (size_of(now) < options.max_size) {
      Counts next;
      for (const size_t member : pool) {
        Counts with = now;
        ++with[member];
        if (next.empty() || f1(with) > f1(next)) next = with;
      }
      now = next;
      if (f1(now) > f1(best)) best = now;
    }
    return best;
  }

  /// Each member once, the best first.
  Counts once(const std::vector<size_t>& pool) {
    Counts now;
    for (const size_t member : best_first(pool)) {
      Counts with = now.empty() ? Counts(book_.pool(), 0) : now;
      ++with[member];
      if (now.empty() || f1(with) >= f1(now)) now = with;
    }
    return now;
  }

  /// The choice first, where it is one of several members; then the others.
  std::vector<Combination> ranked(const Counts& chosen) const {
    std::vector<Combination> list;
    for (const auto& [counts, f1] : tried_) {
      if (different(counts) > 1) list.push_back({counts, f1});
    }
    std::stable_sort(list.begin(), list.end(), [](const Combination& a, const Combination& b) {
      if (a.f1 != b.f1) return a.f1 > b.f1;
      if (size_of(a.counts) != size_of(b.counts)) return size_of(a.counts) < size_of(b.counts);
      return a.counts > b.counts;  // the one of earlier members
    });
    const auto own = std::find_if(list.begin(), list.end(),
                                  [&](const Combination& one) { return one.counts == reduced(chosen); });
    if (own != list.end()) std::rotate(list.begin(), own, own + 1);
    return list;
  }

 private:
  std::vector<size_t> best_first(std::vector<size_t> pool) {
    const auto alone = [&](size_t member) {
      Counts counts(book_.pool(), 0);
      counts[member] = 1;
      return f1(counts);
    };
    std::stable_sort(pool.begin(), pool.end(), [&](size_t a, size_t b) { return alone(a) > alone(b); });
    return pool;
  }

  Counts best_alone(const std::vector<size_t>& pool, int count) {
    const auto order = best_first(pool);
    Counts counts(book_.pool(), 0);
    for (size_t i = 0; i < std::min(order.size(), static_cast<size_t>(count)); ++i) counts[order[i]] = 1;
    return counts;
  }

  ScoreBook& book_;
  const std::vector<size_t>& questions_;
  std::map<Counts, double> tried_;
};

/// A part of the pool, the same for the same seed and bag.
std::vector<size_t> drawn(const std::vector<size_t>& pool, double share, uint64_t seed, int bag) {
  std::vector<size_t> part = pool;
  CounterRandom random(mix64(seed) + static_cast<uint64_t>(bag));
  for (size_t i = part.size() - 1; i > 0; --i) std::swap(part[i], part[random.below(i + 1)]);
  const auto count = static_cast<size_t>(std::lround(share * static_cast<double>(pool.size())));
  part.resize(std::clamp(count, static_cast<size_t>(2), pool.size()));
  std::sort(part.begin(), part.end());
  return part;
}

/// Every subset; which is best shows in their order.
Counts try_subsets(Search& search, size_t pool) {
  for (uint64_t subset = 1; subset < (uint64_t{1} << pool); ++subset) {
    Counts counts(pool, 0);
    for (size_t member = 0; member < pool; ++member) counts[member] = (subset >> member & 1) != 0 ? 1 : 0;
    search.f1(counts);
  }
  return {};
}

Counts try_bags(Search& search, const std::vector<size_t>& pool, const SearchOptions& options) {
  std::vector<Counts> choices;
  for (int bag = 0; bag < options.bags; ++bag)
    choices.push_back(search.greedy(drawn(pool, options.bag_share, options.seed, bag), options));
  Counts all = summed_alike(choices);
  search.f1(all);
  return all;
}

}  // namespace

const std::vector<double>& ScoreBook::question_f1(const Counts& counts) {
  const auto known = known_.find(counts);
  if (known != known_.end()) return known->second;
  return known_[counts] = scorer_({counts.begin(), counts.end()});
}

double ScoreBook::f1(const Counts& counts, const std::vector<size_t>& questions) {
  const auto& scores = question_f1(counts);
  double sum = 0;
  for (const size_t question : questions) sum += scores[question];
  return 100 * sum / static_cast<double>(questions.size());
}

std::vector<Combination> search(ScoreBook& book, const std::vector<size_t>& questions,
                                const SearchOptions& options) {
  if (book.pool() < 2) throw Error("a pool to choose from has at least two members", "", ErrorCode::kUsage);
  Search tries(book, questions);
  if (options.kind == SearchOptions::Kind::kExhaustive && book.pool() > kExhaustivePool) {
    throw Error(fmt::format("{} members have too many subsets to try them all", book.pool()),
                fmt::format("--select exhaustive is for {}, --select greedy for any number", kExhaustivePool),
                ErrorCode::kUsage);
  }
  std::vector<size_t> pool(book.pool());
  std::iota(pool.begin(), pool.end(), size_t{0});
  const Counts chosen = [&] {
    switch (options.kind) {
      case SearchOptions::Kind::kExhaustive:
        return try_subsets(tries, book.pool());
      case SearchOptions::Kind::kOnce:
        return tries.once(pool);
      case SearchOptions::Kind::kGreedy:
        break;
    }
    return options.bags > 0 ? try_bags(tries, pool, options) : tries.greedy(pool, options);
  }();
  auto found = tries.ranked(chosen);
  if (found.empty())
    throw Error("the search has tried no two members together", "--max-size is two at least",
                ErrorCode::kUsage);
  return found;
}

double cross_fitted_f1(ScoreBook& book, const std::vector<int>& fold_of, const SearchOptions& options) {
  const int folds = *std::max_element(fold_of.begin(), fold_of.end()) + 1;
  double sum = 0;
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<size_t> others, own;
    for (size_t i = 0; i < fold_of.size(); ++i) (fold_of[i] == fold ? own : others).push_back(i);
    const auto& scores = book.question_f1(search(book, others, options).front().counts);
    for (const size_t question : own) sum += scores[question];
  }
  return 100 * sum / static_cast<double>(fold_of.size());
}

}  // namespace expctl
