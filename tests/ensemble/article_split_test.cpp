#include "ensemble/article_split.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "core/error.h"

using namespace expctl;

namespace {

Dataset articles(const std::vector<size_t>& sizes) {
  Dataset dataset;
  for (const size_t size : sizes) {
    Article article{"T", {{"context", {}}}};
    for (size_t i = 0; i < size; ++i) article.paragraphs[0].questions.push_back({"q", "?", {}});
    dataset.articles.push_back(article);
  }
  return dataset;
}

}  // namespace

TEST_CASE("article split: whole articles, at least the share, every question once", "[ensemble]") {
  const Dataset dataset = articles({10, 20, 30, 40});
  std::set<std::vector<size_t>> seen;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto split = hold_out(dataset, 0.3, seed);
    CHECK(split.held_out.size() >= 30);
    CHECK(split.held_out.size() + split.chosen_on.size() == 100);
    CHECK_FALSE(split.chosen_on.empty());
    const std::set<size_t> held(split.held_out.begin(), split.held_out.end());
    size_t first = 0;
    for (const size_t size : {10, 20, 30, 40}) {
      size_t inside = 0;
      for (size_t i = first; i < first + size; ++i) inside += held.count(i);
      CHECK((inside == 0 || inside == size));
      first += size;
    }
    CHECK(hold_out(dataset, 0.3, seed).held_out == split.held_out);
    seen.insert(split.held_out);
  }
  CHECK(seen.size() > 3);
}

TEST_CASE("article split: one article always stays to choose on", "[ensemble]") {
  CHECK(hold_out(articles({1, 1000}), 0.99, 0).chosen_on.size() >= 1);
}

TEST_CASE("article split: folds are of whole articles and about alike", "[ensemble]") {
  const auto folds = article_folds(articles({7, 50, 30, 20, 10, 33}), 3);
  REQUIRE(folds.size() == 150);
  std::vector<int> sizes(3, 0);
  for (const int fold : folds) ++sizes.at(static_cast<size_t>(fold));
  CHECK(sizes == std::vector<int>{50, 50, 50});
  CHECK(std::set<int>(folds.begin() + 7, folds.begin() + 57).size() == 1);
  CHECK(article_folds(articles({3, 4}), 5) == std::vector<int>{1, 1, 1, 0, 0, 0, 0});
}

TEST_CASE("article split: articles of one size go to the folds in turn", "[ensemble]") {
  const auto folds = article_folds(articles(std::vector<size_t>(40, 1)), 4);
  REQUIRE(folds.size() == 40);
  for (int i = 0; i < 40; ++i) CHECK(folds[static_cast<size_t>(i)] == i % 4);
}

TEST_CASE("article split: a dataset of one article cannot be split", "[ensemble]") {
  CHECK_THROWS_AS(hold_out(articles({5}), 0.5, 0), Error);
  CHECK_THROWS_AS(article_folds(articles({5}), 5), Error);
}

TEST_CASE("article split: articles without questions are none", "[ensemble]") {
  const Dataset dataset = articles({0, 5, 0, 5, 0});
  CHECK(hold_out(dataset, 0.4, 0).held_out.size() == 5);
  CHECK(article_folds(dataset, 5).size() == 10);
  CHECK_THROWS_AS(hold_out(articles({0, 5}), 0.5, 0), Error);
  CHECK(all_questions(dataset).size() == 10);
}
