#include "reports/submission.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

std::string evaluation_text(const Json& evaluation) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : evaluation.items()) {
    constexpr size_t kShownHash = 12;
    parts.push_back(fmt::format(
        "{} {}", key, value.is_string() ? value.get<std::string>().substr(0, kShownHash) : value.dump()));
  }
  return join(parts, ", ");
}

void check_one_evaluation(const std::vector<Candidate>& candidates) {
  std::vector<Json> evaluations;
  for (const auto& candidate : candidates) {
    if (std::find(evaluations.begin(), evaluations.end(), candidate.evaluation) == evaluations.end())
      evaluations.push_back(candidate.evaluation);
  }
  if (evaluations.size() < 2) return;
  std::vector<std::string> groups;
  for (const auto& evaluation : evaluations) {
    std::vector<std::string> ids;
    for (const auto& candidate : candidates) {
      if (candidate.evaluation == evaluation) ids.push_back(candidate.record.id);
    }
    groups.push_back(fmt::format("{} ({})", join(ids, " "), evaluation_text(evaluation)));
  }
  throw Error(fmt::format("the scored entries are of {} evaluations: {}", groups.size(), join(groups, "; ")),
              "entries are ranked within one evaluation: name the runs, ensembles or sweeps to choose from, "
              "e.g. expctl package sweep1");
}

bool is_better(const Candidate& a, const Candidate& b) {
  if (*a.record.f1 != *b.record.f1) return *a.record.f1 > *b.record.f1;
  if (a.probability_score != b.probability_score) return a.probability_score > b.probability_score;
  return a.record.position < b.record.position;
}

}  // namespace

std::vector<Candidate> rank_candidates(std::vector<Candidate> candidates) {
  std::erase_if(candidates, [](const Candidate& c) { return !c.record.f1 || !std::isfinite(*c.record.f1); });
  std::stable_sort(candidates.begin(), candidates.end(), is_better);
  return candidates;
}

size_t count_contenders(const std::vector<Candidate>& ranked, size_t top) {
  if (ranked.size() <= top || top == 0) return std::min(ranked.size(), top);
  const double last = *ranked[top - 1].record.f1;
  return static_cast<size_t>(
      std::count_if(ranked.begin(), ranked.end(), [&](const Candidate& c) { return *c.record.f1 >= last; }));
}

std::string folder_name(std::string pattern, size_t rank) {
  constexpr std::string_view kPlace = "{rank}";
  return pattern.replace(pattern.find(kPlace), kPlace.size(), std::to_string(rank));
}

double mean_of_first(const std::vector<double>& f1, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += f1.at(i);
  return sum / static_cast<double>(count);
}

Submission choose_entries(const std::vector<Candidate>& candidates, size_t top, size_t average,
                          const std::string& folder) {
  if (average < 1 || average > top) {
    throw Error(fmt::format("the mean of the best {} of {} entries is not defined", average, top),
                "--average is at most --top", ErrorCode::kUsage);
  }
  const auto ranked = rank_candidates(candidates);
  if (ranked.size() < top) {
    throw Error(fmt::format("there are {} scored entries, not {}", ranked.size(), top),
                ranked.empty() ? "expctl sweep FILE makes some"
                               : fmt::format("run more, or hand in fewer: --top {}", ranked.size()));
  }
  check_one_evaluation(candidates);
  Submission submission;
  std::vector<double> f1;
  for (const auto& candidate : ranked) {
    submission.considered.push_back(candidate.record);
    if (submission.entries.size() == top) continue;
    submission.entries.push_back(
        {folder_name(folder, submission.entries.size() + 1), candidate.record, candidate.probability_score});
    f1.push_back(*candidate.record.f1);
  }
  submission.average = average;
  submission.top_mean = mean_of_first(f1, average);
  submission.evaluation = ranked.front().evaluation;
  return submission;
}

Json summary_json(const Submission& submission, const Json& rules) {
  Json entries = Json::array();
  for (const auto& entry : submission.entries) {
    entries.push_back(
        {{"folder", entry.folder},
         {"id", entry.record.id},
         {"f1", entry.record.f1.value()},
         {"exact_match", entry.record.exact_match.value()},
         {"probability_score", entry.probability_score ? Json(*entry.probability_score) : Json()}});
  }
  return {{"schema_version", 1}, {"top3_mean", submission.top_mean},    {"average", submission.average},
          {"entries", entries},  {"evaluation", submission.evaluation}, {"rules", rules}};
}

}  // namespace expctl
