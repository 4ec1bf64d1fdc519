#include "cli/ensemble_choice.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "ensemble/article_split.h"

namespace expctl {
namespace {

constexpr int kFolds = 5;

std::string_view name_of(SearchOptions::Kind kind) {
  switch (kind) {
    case SearchOptions::Kind::kGreedy:
      return "greedy";
    case SearchOptions::Kind::kOnce:
      return "each once";
    case SearchOptions::Kind::kExhaustive:
      return "exhaustive";
  }
  return "";
}

Json describe(const EnsembleMembers& pool, const SearchPlan& plan) {
  Json ids = Json::array();
  for (const auto& run : pool.runs) ids.push_back(run.id);
  Json description = {{"by", name_of(plan.options.kind)}, {"pool", ids}, {"holdout", plan.holdout}};
  if (plan.options.kind == SearchOptions::Kind::kGreedy) {
    description["max_size"] = plan.options.max_size;
    description["sorted_start"] = plan.options.sorted_start;
    description["bags"] = plan.options.bags;
  }
  description["seed"] = plan.options.seed;
  return description;
}

/// "F1 93.1000; the plain mean of the pool has 92.9000 there".
std::string beside_plain(double chosen, double plain) {
  return fmt::format("F1 {:.4f}; the plain mean of the pool has {:.4f} there", chosen, plain);
}

}  // namespace

SearchResult search_members(MemberCombiner& combiner, const EnsembleMembers& pool, Method method,
                            const SearchPlan& plan) {
  const Dataset& dataset = combiner.dataset();
  if (!dataset.has_answers())
    throw Error(fmt::format("{}: it has questions without answers, so there is nothing to choose by",
                            pool.spec.dev_data.path),
                "without --select all members count alike");
  ScoreBook book(pool.size(), [&](const auto& weights) { return combiner.question_f1(weights); });
  const bool holds_out = plan.holdout > 0;
  const ArticleSplit split = holds_out ? hold_out(dataset, plan.holdout, plan.options.seed)
                                       : ArticleSplit{all_questions(dataset), {}};
  const auto found = search(book, split.chosen_on, plan.options);
  if (found.size() < plan.make)
    throw Error(fmt::format("the search has tried {} of two or more, not {}",
                            counted(found.size(), "ensemble"), plan.make),
                "--make fewer, or give a larger pool");
  const Counts plain(pool.size(), 1);
  SearchResult result;
  for (size_t i = 0; i < plan.make; ++i) {
    Json selection = describe(pool, plan);
    selection["f1_chosen_on"] = found[i].f1;
    if (holds_out) {
      selection["f1_held_out"] = book.f1(found[i].counts, split.held_out);
      selection["f1_plain_mean_there"] = book.f1(plain, split.held_out);
    }
    result.choices.push_back({{found[i].counts.begin(), found[i].counts.end()}, selection});
  }
  result.summary = fmt::format(
      "chosen from {} runs on {}{}: F1 {:.4f}", pool.size(), counted(split.chosen_on.size(), "question"),
      holds_out ? "" : ", all of the dev data, which is what ranks", found.front().f1);
  for (size_t member = 0; member < pool.size(); ++member) {
    Counts alone(pool.size(), 0);
    alone[member] = 1;
    if (const double f1 = book.f1(alone, split.chosen_on); f1 > found.front().f1)
      result.summary += fmt::format("\n{} alone is better there: F1 {:.4f}", pool.runs[member].id, f1);
  }
  Json& first = result.choices.front().selection;
  if (holds_out) {
    result.summary += fmt::format("\non the {} held out: {}", counted(split.held_out.size(), "question"),
                                  beside_plain(first["f1_held_out"], first["f1_plain_mean_there"]));
  } else if (method != Method::kSoup && dataset.articles.size() > 1) {  // soups would have to predict again
    const auto folds = article_folds(dataset, kFolds);
    // Of the search, not of one of its choices: only the first has it.
    first["f1_cross_fitted"] = cross_fitted_f1(book, folds, plan.options);
    first["f1_plain_mean_there"] = book.f1(plain, split.chosen_on);
    result.summary += fmt::format("\ncross-fitted over {} folds of articles: {}",
                                  *std::max_element(folds.begin(), folds.end()) + 1,
                                  beside_plain(first["f1_cross_fitted"], first["f1_plain_mean_there"]));
  } else {
    result.summary += "\nhow much of that is luck is not known: --holdout 0.5 tells";
  }
  return result;
}

}  // namespace expctl
