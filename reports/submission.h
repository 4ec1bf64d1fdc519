// Which entries make a submission: the best N of those that one evaluation has scored, and the mean of the
// best of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "registry/registry.h"

namespace expctl {

/// A run or ensemble with a score, and the evaluation that gave it (dev_sha256, max_seq_length, doc_stride,
/// window).
struct Candidate {
  RunRecord record;
  Json evaluation;
};

struct SubmissionEntry {
  std::string folder;  ///< "run1" for the best, "run2", ...
  RunRecord record;
  std::optional<double> probability_score = {};  ///< on unseen questions, where there are some
};

struct Submission {
  std::vector<SubmissionEntry> entries;  ///< by rank
  std::vector<RunRecord> considered;     ///< all that they were chosen from, by rank
  size_t average = 0;
  double top_mean = 0;  ///< mean F1 of the first `average` entries
  Json evaluation;
};

/// Throws Error where fewer than `top` candidates are there, `average` exceeds `top`, or candidates are
/// scored by different evaluations: F1 of different data or lengths cannot be ranked against each other.
Submission choose_entries(const std::vector<Candidate>& candidates, size_t top, size_t average);

/// The mean as choose_entries computes it, in rank order; what verifying compares with to the last digit.
double mean_of_first(const std::vector<double>& f1, size_t count);

/// summary.json.
Json summary_json(const Submission& submission);

}  // namespace expctl
