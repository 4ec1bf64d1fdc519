#include "cli/ensemble_choice.h"

#include <fmt/core.h>

#include <numeric>

#include "core/error.h"
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

/// What choosing was worth where nobody chose: F1 of the choice beside that of the pool's plain mean.
struct Worth {
  std::string where;
  double chosen = 0;
  double plain = 0;
};

Worth held_out_worth(ScoreBook& book, const Counts& best, const std::vector<size_t>& held_out) {
  return {fmt::format("on the {} questions held out", held_out.size()), book.f1(best, held_out),
          book.f1(Counts(book.pool(), 1), held_out)};
}

Worth cross_fitted_worth(ScoreBook& book, const Dataset& dataset, const SearchOptions& options) {
  const auto folds = article_folds(dataset, kFolds);
  return {fmt::format("cross-fitted over {} folds of articles",
                      *std::max_element(folds.begin(), folds.end()) + 1),
          cross_fitted_f1(book, folds, options), book.f1(Counts(book.pool(), 1), {})};
}

}  // namespace

std::vector<size_t> chosen_on(const Dataset& dataset, const SearchPlan& plan) {
  if (plan.holdout == 0) return {};
  return hold_out(dataset, plan.holdout, plan.options.seed).chosen_on;
}

SearchResult search_members(MemberCombiner& combiner, const EnsembleMembers& pool, Method method,
                            const SearchPlan& plan) {
  const Dataset& dataset = combiner.dataset();
  if (!dataset.has_answers())
    throw Error(fmt::format("{}: it has questions without answers, so there is nothing to choose by",
                            pool.spec.dev_data.path),
                "without --select all members count alike");
  ScoreBook book(pool.size(), [&](const auto& weights) { return combiner.question_f1(weights); });
  const auto questions = chosen_on(dataset, plan);
  const auto found = search(book, questions, plan.options);
  if (found.size() < plan.make)
    throw Error(
        fmt::format("the search has tried {} ensembles of two or more, not {}", found.size(), plan.make),
        "--make fewer, or give a larger pool");
  const Counts& best = found.front().counts;
  std::optional<Worth> worth;
  if (plan.holdout > 0)
    worth = held_out_worth(book, best, hold_out(dataset, plan.holdout, plan.options.seed).held_out);
  else if (method != Method::kSoup && dataset.articles.size() > 1)  // soups would all have to predict again
    worth = cross_fitted_worth(book, dataset, plan.options);

  SearchResult result;
  for (size_t i = 0; i < plan.make; ++i) {
    Json selection = describe(pool, plan);
    selection["f1_chosen_on"] = found[i].f1;
    if (worth) selection[plan.holdout > 0 ? "f1_held_out" : "f1_cross_fitted"] = worth->chosen;
    if (worth) selection["f1_plain_mean_there"] = worth->plain;
    result.choices.push_back({{found[i].counts.begin(), found[i].counts.end()}, selection});
  }
  const size_t count = questions.empty() ? dataset.question_count() : questions.size();
  result.summary = fmt::format("chosen from {} runs on {} questions{}: F1 {:.4f}", pool.size(), count,
                               questions.empty() ? ", all that the contest ranks on" : "", found.front().f1);
  for (size_t member = 0; member < pool.size(); ++member) {
    Counts alone(pool.size(), 0);
    alone[member] = 1;
    if (const double f1 = book.f1(alone, questions); f1 > found.front().f1)
      result.summary += fmt::format("\n{} alone is better there: F1 {:.4f}", pool.runs[member].id, f1);
  }
  if (worth)
    result.summary += fmt::format("\n{}: F1 {:.4f}; the plain mean of the pool has {:.4f} there",
                                  worth->where, worth->chosen, worth->plain);
  return result;
}

}  // namespace expctl
