#include "reports/submission.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

/// Entries of one evaluation.
struct Group {
  Json evaluation;
  std::vector<std::string> ids;
};

/// The largest first; of equals the one with the better entry.
std::vector<Group> by_evaluation(const std::vector<Candidate>& candidates) {
  std::vector<Group> groups;
  for (const auto& candidate : candidates) {
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& g) { return g.evaluation == candidate.evaluation; });
    if (group == groups.end()) group = groups.insert(groups.end(), {candidate.evaluation, {}});
    group->ids.push_back(candidate.record.id);
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.ids.size() > b.ids.size(); });
  return groups;
}

/// "run7 was made by another program: its windows are not known"
std::string difference(const Group& odd, const Group& others) {
  const std::string who = join(odd.ids, ", ");
  const bool is_one = odd.ids.size() == 1;
  if (odd.evaluation.value("dev_sha256", "") != others.evaluation.value("dev_sha256", ""))
    return fmt::format("{} {} scored on other dev data", who, is_one ? "was" : "were");
  constexpr const char* kLength = "max_seq_length";
  if (!odd.evaluation.contains(kLength))
    return fmt::format("{} {} made by another program: {} windows are not known", who,
                       is_one ? "was" : "were", is_one ? "its" : "their");
  if (!others.evaluation.contains(kLength))
    return fmt::format("the windows of {} are not known: another program made {}", join(others.ids, ", "),
                       others.ids.size() == 1 ? "it" : "them");
  std::vector<std::string> parts;
  for (const auto& [key, value] : odd.evaluation.items()) {
    const Json other = others.evaluation.value(key, Json());
    if (value != other)
      parts.push_back(fmt::format("{} {} and not {}", key, scalar_text(value), scalar_text(other)));
  }
  return fmt::format("{} {} scored with {}", who, is_one ? "was" : "were", join(parts, ", "));
}

void check_one_evaluation(const std::vector<Candidate>& candidates) {
  const auto groups = by_evaluation(candidates);
  if (groups.size() < 2) return;
  std::vector<std::string> differences, odd;
  for (size_t i = 1; i < groups.size(); ++i) {
    differences.push_back(difference(groups[i], groups.front()));
    odd.insert(odd.end(), groups[i].ids.begin(), groups[i].ids.end());
  }
  throw Error(
      fmt::format("{}, so {} cannot be ranked with {}", join(differences, "; "), join(odd, ", "),
                  groups.front().ids.size() == 1 ? groups.front().ids.front() : "the others"),
      fmt::format("--except {} leaves {} out; or name what to choose from, e.g. expctl package sweep1",
                  join(odd, " "), odd.size() == 1 ? "it" : "them"));
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
    throw Error(fmt::format("the mean of the best {} of {} is not defined", average,
                            counted(top, "entry", "entries")),
                "--average is at most --top", ErrorCode::kUsage);
  }
  const auto ranked = rank_candidates(candidates);
  if (ranked.size() < top) {
    throw Error(fmt::format("there {} {}, not {}", ranked.size() == 1 ? "is" : "are",
                            counted(ranked.size(), "scored entry", "scored entries"), top),
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
    entries.push_back({{"folder", entry.folder},
                       {"id", entry.record.id},
                       {"f1", entry.record.f1.value()},
                       {"exact_match", entry.record.exact_match.value()},
                       {"probability_score", json_or_null(entry.probability_score)}});
  }
  return {{"schema_version", 1}, {"top3_mean", submission.top_mean},    {"average", submission.average},
          {"entries", entries},  {"evaluation", submission.evaluation}, {"rules", rules}};
}

}  // namespace expctl
