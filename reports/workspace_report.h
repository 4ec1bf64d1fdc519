// `expctl report`: everything that a workspace has to show, as one HTML page without script or outside
// resource, or as Markdown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/records.h"
#include "reports/line_chart.h"
#include "reports/submission.h"
#include "reports/timeline_chart.h"
#include "squad/config_difference.h"

namespace expctl {

/// What an entry's inference took (inference_stats.json).
struct LatencyLine {
  std::string id;
  std::vector<double> percentiles_ms;  ///< kLatencyPercents each, of a batch
  double per_s = 0;                    ///< windows a second
};
inline constexpr int kLatencyPercents[] = {50, 90, 95, 99, 100};

struct EnsembleLine {
  RunRecord entry;
  std::optional<double> members_mean;  ///< F1
};

/// F1 of one entry by the length of its evaluation, of those on one dev file.
struct LengthLine {
  std::string id;
  std::vector<std::pair<int64_t, double>> f1;  ///< by length, rising
};

struct EnvironmentLine {
  std::string what;  ///< host, CPU, GPUs, versions
  size_t runs = 0;   ///< in how many runs
};

/// The two configs with the best means (or the only one), scored question by question.
struct LeadingConfigs {
  std::optional<ConfigDifference> difference;  ///< the first less the second
  double noise_sd = 0;                         ///< question_noise_sd() of their runs; 0: of one run
};

struct WorkspaceFacts {
  std::string workspace;
  double now = 0;
  std::string version;
  std::vector<RunRecord> runs;       ///< and ensembles, the best F1 first
  std::optional<Submission> picked;  ///< the best five and their mean; nothing where there are not so many
  std::string why_not_picked;
  std::optional<LeadingConfigs> leading;  ///< nothing where their answers cannot be scored
  std::vector<Series> losses;             ///< of the best runs
  std::vector<EnsembleLine> ensembles;    ///< the best ones
  std::vector<TimelineSpan> attempts;
  std::vector<LatencyLine> latencies;
  std::vector<LengthLine> lengths;  ///< those with two lengths or more
  std::vector<EnvironmentLine> environments;
};

/// What stands in both.
inline constexpr const char* kReportMark = "<!-- expctl report -->";

std::string workspace_html(const WorkspaceFacts& facts);
std::string workspace_markdown(const WorkspaceFacts& facts);

}  // namespace expctl
