#include "ensemble/selection.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "core/counter_random.h"
#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

/// Members are right about a question where their own number for it is positive; together where the weighted
/// mean is. What greedy and exhaustive searches find can be worked out.
struct Pool {
  std::vector<std::vector<double>> numbers;  ///< [member][question]
  int scored = 0;

  QuestionScorer scorer() {
    return [this](const std::vector<double>& weights) {
      ++scored;
      std::vector<double> f1(numbers[0].size());
      for (size_t question = 0; question < f1.size(); ++question) {
        double sum = 0;
        for (size_t member = 0; member < numbers.size(); ++member)
          sum += weights[member] * numbers[member][question];
        f1[question] = sum > 0 ? 1 : 0;
      }
      return f1;
    };
  }
  ScoreBook book() { return {numbers.size(), scorer()}; }
};

Pool random_pool(size_t members, size_t questions, uint64_t seed) {
  CounterRandom random(seed);
  Pool pool{std::vector<std::vector<double>>(members, std::vector<double>(questions))};
  for (auto& member : pool.numbers) {
    for (auto& number : member) number = random.normal() + 0.3;
  }
  return pool;
}

std::vector<size_t> all(const Pool& pool) {
  std::vector<size_t> questions(pool.numbers[0].size());
  std::iota(questions.begin(), questions.end(), size_t{0});
  return questions;
}

SearchOptions exhaustive() {
  SearchOptions options;
  options.kind = SearchOptions::Kind::kExhaustive;
  return options;
}

}  // namespace

TEST_CASE("selection: exhaustive finds the best subset, each once, the best first", "[ensemble]") {
  Pool pool = random_pool(6, 200, 1);
  ScoreBook book = pool.book();
  const auto found = search(book, all(pool), exhaustive());
  REQUIRE(found.size() == 64 - 1 - 6);  // all but the empty one and those of one member
  for (size_t i = 1; i < found.size(); ++i) CHECK(found[i - 1].f1 >= found[i].f1);
  // By a loop of its own.
  double best = 0;
  for (int subset = 1; subset < 64; ++subset) {
    std::vector<double> weights(6);
    for (size_t member = 0; member < 6; ++member) weights[member] = subset >> member & 1;
    if (std::accumulate(weights.begin(), weights.end(), 0.0) < 2) continue;
    const auto f1 = pool.scorer()(weights);
    best = std::max(best, 100 * std::accumulate(f1.begin(), f1.end(), 0.0) / 200);
  }
  CHECK(found.front().f1 == Approx(best));
}

TEST_CASE("selection: greedy is no worse than its best member and takes each size's best step",
          "[ensemble]") {
  Pool pool = random_pool(8, 300, 2);
  ScoreBook book = pool.book();
  SearchOptions options;
  options.max_size = 5;
  const auto found = search(book, all(pool), options);
  double best_alone = 0;
  Counts now;
  for (size_t member = 0; member < 8; ++member) {
    Counts alone(8, 0);
    alone[member] = 1;
    if (book.f1(alone, all(pool)) > best_alone) {
      best_alone = book.f1(alone, all(pool));
      now = alone;
    }
  }
  // The same by a plain loop.
  double best = best_alone;
  for (int size = 2; size <= 5; ++size) {
    Counts next;
    for (size_t member = 0; member < 8; ++member) {
      Counts with = now;
      ++with[member];
      if (next.empty() || book.f1(with, all(pool)) > book.f1(next, all(pool))) next = with;
    }
    now = next;
    best = std::max(best, book.f1(now, all(pool)));
  }
  CHECK(best > best_alone);
  CHECK(found.front().f1 == best);
}

TEST_CASE("selection: proportions that are the same are tried and listed once", "[ensemble]") {
  Pool pool = random_pool(3, 100, 3);
  ScoreBook book = pool.book();
  SearchOptions options;
  options.max_size = 12;
  for (const auto& one : search(book, all(pool), options)) {
    int divisor = 0;
    for (const int count : one.counts) divisor = std::gcd(divisor, count);
    CHECK(divisor == 1);
  }
}

TEST_CASE("selection: only the questions that are named count", "[ensemble]") {
  // Members 0 and 1 are right about the first half, 2 and 3 about the second.
  Pool pool{{{1, 1, -9, -9}, {1, 1, -9, -9}, {-9, -9, 1, 1}, {-9, -9, 1, 1}}};
  ScoreBook book = pool.book();
  CHECK(search(book, {0, 1}, exhaustive()).front().counts == Counts{1, 1, 0, 0});
  CHECK(search(book, {2, 3}, exhaustive()).front().counts == Counts{0, 0, 1, 1});
}

TEST_CASE("selection: a score is computed once, whoever asks", "[ensemble]") {
  Pool pool = random_pool(5, 50, 4);
  ScoreBook book = pool.book();
  search(book, all(pool), exhaustive());
  const int first = pool.scored;
  search(book, {0, 1, 2}, exhaustive());
  CHECK(pool.scored == first);
}

TEST_CASE("selection: each once keeps what makes the mean no worse", "[ensemble]") {
  Pool pool{{{1, 1, 1, -1}, {-2, -2, -2, 2}, {1, 1, -1, 1.5}}};
  ScoreBook book = pool.book();
  SearchOptions options;
  options.kind = SearchOptions::Kind::kOnce;
  CHECK(search(book, all(pool), options).front().counts == Counts{1, 0, 1});
  Pool alike{{{1, -1}, {1, -1}, {1, -1}}};  // no better and no worse
  ScoreBook ties = alike.book();
  CHECK(search(ties, all(alike), options).front().counts == Counts{1, 1, 1});
}

TEST_CASE("selection: bags are the same for the same seed", "[ensemble]") {
  Pool pool = random_pool(8, 300, 5);
  SearchOptions options;
  options.bags = 4;
  options.seed = 7;
  ScoreBook a = pool.book(), b = pool.book();
  const auto first = search(a, all(pool), options), second = search(b, all(pool), options);
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) CHECK(first[i].counts == second[i].counts);
}

TEST_CASE("selection: of members that are equally good a bag takes the earlier ones", "[ensemble]") {
  // Two members are better than one, whichever; nothing else matters.
  ScoreBook book(5, [](const std::vector<double>& weights) {
    const auto used = std::count_if(weights.begin(), weights.end(), [](double weight) { return weight > 0; });
    return std::vector<double>{used >= 2 ? 1.0 : 0.5};
  });
  SearchOptions options;
  options.max_size = 2;
  options.bags = 5;
  options.bag_share = 1;
  CHECK(search(book, {0}, options).front().counts == Counts{1, 1, 0, 0, 0});
}

TEST_CASE("selection: with bags the choice is the sum of theirs, whatever else scores better", "[ensemble]") {
  Pool pool = random_pool(8, 300, 5);
  ScoreBook book = pool.book();
  SearchOptions options;
  options.bags = 3;
  options.bag_share = 1;  // every bag is the whole pool, so all choose the same
  const auto bagged = search(book, all(pool), options);
  options.bags = 0;
  CHECK(bagged.front().counts == search(book, all(pool), options).front().counts);
  // Of different bags the sum has members of each, and the rest is ranked behind it.
  options.bags = 6;
  options.bag_share = 0.5;
  const auto mixed = search(book, all(pool), options);
  CHECK(std::count_if(mixed.front().counts.begin(), mixed.front().counts.end(), [](int n) { return n > 0; }) >
        4);
  for (size_t i = 2; i < mixed.size(); ++i) CHECK(mixed[i - 1].f1 >= mixed[i].f1);
}

TEST_CASE("selection: bags have the same say whatever the size of their choices is", "[ensemble]") {
  // The best has seven of one member to six of the other, 13 in all, which do not divide what ten bags have
  // to say into whole numbers.
  ScoreBook book(2, [](const std::vector<double>& weights) {
    return std::vector<double>{1 - std::abs(weights[0] / (weights[0] + weights[1]) - 7.0 / 13)};
  });
  SearchOptions options;
  options.max_size = 13;
  options.bag_share = 1;
  for (const int bags : {0, 1, 10}) {
    INFO(bags);
    options.bags = bags;
    CHECK(search(book, {0}, options).front().counts == Counts{7, 6});
  }
}

TEST_CASE("selection: a sorted start as large as the whole is the start", "[ensemble]") {
  Pool pool = random_pool(4, 100, 8);
  ScoreBook book = pool.book();
  SearchOptions options;
  options.sorted_start = 10;
  options.max_size = 4;
  CHECK(search(book, all(pool), options).front().counts == Counts{1, 1, 1, 1});
}

TEST_CASE("selection: cross-fitted, no fold is answered by what it was chosen on", "[ensemble]") {
  // What helps one fold hurts the other: chosen on the other fold each is wrong about its own.
  Pool pool{{{1, 1, -9, -9}, {1, 1, -9, -9}, {-9, -9, 1, 1}, {-9, -9, 1, 1}}};
  ScoreBook book = pool.book();
  CHECK(cross_fitted_f1(book, {0, 0, 1, 1}, exhaustive()) == 0.0);
  CHECK(search(book, all(pool), exhaustive()).front().f1 == 50.0);
  // Either fold chooses the first two, who are right about three questions of four.
  Pool same{{{1, 1, 1, -9}, {1, 1, 1, -9}, {-9, -9, -9, -9}}};
  ScoreBook other = same.book();
  CHECK(cross_fitted_f1(other, {0, 0, 1, 1}, exhaustive()) == 75.0);
}

TEST_CASE("selection: on noise the choice looks better than it is, cross-fitting does not", "[ensemble]") {
  Pool pool = random_pool(10, 400, 6);
  ScoreBook book = pool.book();
  std::vector<int> folds(400);
  for (size_t i = 0; i < folds.size(); ++i) folds[i] = static_cast<int>(i / 80);
  const double chosen = search(book, all(pool), exhaustive()).front().f1;
  CHECK(cross_fitted_f1(book, folds, exhaustive()) < chosen);
}

TEST_CASE("selection: pools that are too small or too large to try all are refused", "[ensemble]") {
  Pool one = random_pool(1, 10, 1), many = random_pool(13, 10, 1);
  ScoreBook small = one.book(), large = many.book();
  CHECK_THROWS_WITH(search(small, all(one), {}), Contains("at least two members"));
  CHECK_THROWS_WITH(search(large, all(many), exhaustive()), Contains("13 members have too many subsets"));
}
