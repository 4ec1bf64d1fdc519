#include "ensemble/article_split.h"

#include <algorithm>
#include <numeric>

#include "core/counter_random.h"
#include "core/error.h"

namespace expctl {
namespace {

/// How many questions each article has, those without any left out.
std::vector<size_t> sizes_of(const Dataset& dataset) {
  std::vector<size_t> sizes;
  for (const auto& article : dataset.articles) {
    size_t size = 0;
    for (const auto& paragraph : article.paragraphs) size += paragraph.questions.size();
    if (size > 0) sizes.push_back(size);
  }
  if (sizes.size() < 2)
    throw Error("the dataset is one article: nothing can be held out of it", "choose on all of it",
                ErrorCode::kUsage);
  return sizes;
}

}  // namespace

std::vector<size_t> all_questions(const Dataset& dataset) {
  std::vector<size_t> questions(dataset.question_count());
  std::iota(questions.begin(), questions.end(), size_t{0});
  return questions;
}

ArticleSplit hold_out(const Dataset& dataset, double share, uint64_t seed) {
  const auto sizes = sizes_of(dataset);
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  CounterRandom random(seed);
  for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  std::vector<bool> is_held_out(sizes.size(), false);
  double left = share * static_cast<double>(dataset.question_count());
  for (size_t i = 0; i + 1 < order.size() && left > 0; ++i) {
    is_held_out[order[i]] = true;
    left -= static_cast<double>(sizes[order[i]]);
  }
  ArticleSplit split;
  size_t question = 0;
  for (size_t article = 0; article < sizes.size(); ++article) {
    auto& part = is_held_out[article] ? split.held_out : split.chosen_on;
    for (size_t i = 0; i < sizes[article]; ++i) part.push_back(question++);
  }
  return split;
}

std::vector<int> article_folds(const Dataset& dataset, int folds) {
  const auto sizes = sizes_of(dataset);
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<size_t> questions(std::min(static_cast<size_t>(folds), sizes.size()), 0);
  std::vector<int> fold_of_article(sizes.size());
  for (const size_t article : order) {
    const auto fold = std::min_element(questions.begin(), questions.end());
    *fold += sizes[article];
    fold_of_article[article] = static_cast<int>(fold - questions.begin());
  }
  std::vector<int> fold_of;
  for (size_t article = 0; article < sizes.size(); ++article)
    fold_of.insert(fold_of.end(), sizes[article], fold_of_article[article]);
  return fold_of;
}

}  // namespace expctl
