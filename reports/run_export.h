// A run as other programs' trackers want it: every parameter, every metric as a curve, and an identity that
// is the same in each export.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

/// One value of one metric.
struct MetricPoint {
  std::string name;
  int64_t step = 0;
  double time = 0;  ///< Unix seconds
  double value = 0;
};

/// Runs that belong together: those of a sweep, the ensembles, the imported runs.
struct ExportGroup {
  std::string key;       ///< "sweep1", "ensembles", "imported"
  std::string name;      ///< "lr (sweep1)"; of the others the key
  std::string identity;  ///< as that of a run
  double created = 0;
};

struct RunExport {
  RunRecord run;
  ExportGroup group;
  std::string identity;  ///< 32 hex digits: the same however often, and from wherever, it is exported
  Json parameters = Json::object();
  std::vector<MetricPoint> steps;        ///< of metrics.jsonl, in the order of its lines
  std::vector<MetricPoint> scores;       ///< of the evaluation "default", at the last step
  std::vector<MetricPoint> evaluations;  ///< of the others, named evals/NAME/f1
  RunPaths folder;
  std::filesystem::path sweep_file;  ///< "" where no sweep has added it
};

/// Every key that the run was made with: of a training all of [train] with its defaults, and the swept ones;
/// of a command the swept ones; the seed; of an ensemble its method and members.
Json all_parameters(const RunRecord& run);

/// The numbers of metrics.jsonl but step and time: of lines of steps and of the event "eval". Null, which is
/// how JSON writes it, is NaN. A line that is not (yet) whole is left out; one without a time has `time`.
std::vector<MetricPoint> metric_points(std::string_view lines, double time);

/// All that is on record of the run and in its folder at this moment; it may be running.
RunExport read_run_export(const Registry& registry, const WorkspacePaths& workspace, const RunRecord& run);

}  // namespace expctl
