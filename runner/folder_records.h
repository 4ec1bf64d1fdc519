// The rows of a registry, read from the folders of a workspace alone (runner/record_files.h writes them
// there).
#pragma once

#include <string>
#include <vector>

#include "core/run_paths.h"
#include "registry/maintenance.h"

namespace expctl {

/// Something that could not be taken in, or not whole.
struct FolderNote {
  std::string where;  ///< "run3", "sweep1"
  std::string what;
  bool is_left_out = false;  ///< the whole run, ensemble or sweep; else it is there with what is known of it
};

struct FolderRecords {
  RegistryRows rows;
  std::vector<FolderNote> notes;
};

/// Every run, ensemble and sweep that has a folder, and the runs that were queued and never started, which
/// have none. What cannot be read is noted and left out; of what an older expctl has written as much is taken
/// as is known. Reads no results but those of an older expctl's runs, whose files it hashes.
FolderRecords read_folders(const WorkspacePaths& workspace);

/// The steps of a run as they are on record: those of its metrics.jsonl, once an attempt has ended.
std::vector<MetricRecord> metrics_on_record(const EntryRecord& entry, const WorkspacePaths& workspace);

}  // namespace expctl
