// What the registry knows, as files in the workspace: run.json in the folder of each run and ensemble,
// sweep.json and runs.jsonl in that of each sweep. With ensemble.json, metrics.jsonl they hold every row
// (runner/folder_records.h reads them); docs/run_folder.md says what is in which.
//
// They are written by whoever changes a row, run.json before the change is committed: after a crash the
// folders say what the registry does, or what it was about to. The registry is what counts; a file that
// differs is written again with the next change.
#pragma once

#include <string>
#include <vector>

#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

/// run.json: all that is on record but the spec and the metrics, which have files of their own.
Json run_file(const EntryRecord& entry);
/// Also takes what an older expctl has written, which lacks attempts, evaluations, artifacts and the position
/// (0 then). The spec is left empty. Throws Error.
EntryRecord entry_from_run_file(const Json& json, const std::string& source);

/// A line of runs.jsonl: what a run is before anything has happened to it, and its spec.
Json run_line(const RunRecord& run);
RunRecord run_from_line(const Json& json, const std::string& source);

struct SweepFile {
  SweepRecord record;
  std::vector<std::string> runs;          ///< those that it describes
  std::map<IdKind, int64_t> highest_ids;  ///< when the file was written
};
/// sweep.json.
Json to_json(const SweepFile& sweep);
SweepFile sweep_file_from_json(const Json& json, const std::string& source);
SweepFile sweep_file(const Registry& registry, const SweepRecord& record);

/// Makes the folder where it is not there.
void write_run_file(const Registry& registry, const std::string& id, const RunPaths& paths);

/// The files of a sweep, where they are not as they should be. To be called when it gets a run, when the spec
/// of one that it has added changes, and when one is removed.
void write_sweep_files(const Registry& registry, const std::string& sweep_id,
                       const WorkspacePaths& workspace);

}  // namespace expctl
