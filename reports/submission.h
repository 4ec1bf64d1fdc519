// Which entries make a submission: the best N of those that one evaluation has scored, and the mean of the
// best of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "registry/records.h"

namespace expctl {

/// What is handed in where no rules say it: so many entries, and the mean of the best of them.
inline constexpr size_t kUsualTop = 5, kUsualAverage = 3;

/// A run or ensemble with the scores of the evaluation that ranks, and what that is of (dev_sha256,
/// max_seq_length, doc_stride, window).
struct Candidate {
  RunRecord record;
  Json evaluation;
  std::optional<double> probability_score = {};  ///< on unseen questions, where there are some
};

struct SubmissionEntry {
  std::string folder;  ///< "run1" for the best, "run2", ...
  RunRecord record;
  std::optional<double> probability_score = {};
};

struct Submission {
  std::vector<SubmissionEntry> entries;  ///< by rank
  std::vector<RunRecord> considered;     ///< all that they were chosen from, by rank
  size_t average = 0;
  double top_mean = 0;  ///< mean F1 of the first `average` entries
  std::string evaluation_name = kDefaultEvaluation;
  Json evaluation;
};

/// The best F1 first, as it is and not rounded; of equals the higher probability score, one that has none
/// last; of equals still the older. Those without a score, or with one that is no number, are left out.
std::vector<Candidate> rank_candidates(std::vector<Candidate> candidates);

/// How many of the ranked may be among the first `top`, whatever their probability scores are.
size_t count_contenders(const std::vector<Candidate>& ranked, size_t top);

/// `folder` is what an entry's folder is called, with {rank} for its rank. Throws Error where fewer than
/// `top` candidates are there, `average` exceeds `top`, or candidates are scored by different evaluations: F1
/// of different data or lengths cannot be ranked against each other.
Submission choose_entries(const std::vector<Candidate>& candidates, size_t top, size_t average,
                          const std::string& folder = "run{rank}");

/// What the entry of this rank is called: `pattern` has {rank} for it.
std::string folder_name(std::string pattern, size_t rank);

/// The mean as choose_entries computes it, in rank order; what verifying compares with to the last digit.
double mean_of_first(const std::vector<double>& f1, size_t count);

/// summary.json. `rules` are the checks that the submission was held to.
Json summary_json(const Submission& submission, const Json& rules = Json::array());

}  // namespace expctl
