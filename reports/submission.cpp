#include "reports/submission.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "reports/leaderboard.h"

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

}  // namespace

double mean_of_first(const std::vector<double>& f1, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += f1.at(i);
  return sum / static_cast<double>(count);
}

Submission choose_entries(const std::vector<Candidate>& candidates, size_t top, size_t average) {
  if (average < 1 || average > top) {
    throw Error(fmt::format("the mean of the best {} of {} entries is not defined", average, top),
                "--average is at most --top", ErrorCode::kUsage);
  }
  if (candidates.size() < top) {
    throw Error(fmt::format("there are {} scored entries, not {}", candidates.size(), top),
                candidates.empty() ? "expctl sweep FILE makes some"
                                   : fmt::format("run more, or hand in fewer: --top {}", candidates.size()));
  }
  check_one_evaluation(candidates);
  std::vector<RunRecord> records;
  for (const auto& candidate : candidates) records.push_back(candidate.record);
  records = ranked(std::move(records));
  Submission submission;
  std::vector<double> f1;
  for (size_t i = 0; i < top; ++i) {
    submission.entries.push_back({fmt::format("run{}", i + 1), records[i], {}});
    f1.push_back(records[i].f1.value());
  }
  submission.considered = std::move(records);
  submission.average = average;
  submission.top_mean = mean_of_first(f1, average);
  submission.evaluation = candidates.front().evaluation;
  return submission;
}

Json summary_json(const Submission& submission) {
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
          {"entries", entries},  {"evaluation", submission.evaluation}, {"rules", Json::array()}};
}

}  // namespace expctl
