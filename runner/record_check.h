// Whether the registry and the folders of its workspace say the same.
#pragma once

#include <string>
#include <vector>

#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

struct Difference {
  std::string id;      ///< "run3", "sweep1"; "registry" for the database itself
  std::string what;    ///< one sentence
  std::string where;   ///< a path
  std::string remedy;  ///< what to do, "" where nothing can be done
};

/// The members of `recorded` that `found` has not or otherwise, one sentence each: "state: 'running' on
/// record, 'queued' in the file".
std::vector<std::string> differing_members(const Json& recorded, const Json& found);

/// Rows against folders: states, attempts, scores, specs, sweeps; whether artifacts are there with their
/// sizes, and `with_hashes` their content; folders that no row is of; SQLite's own checks. Changes nothing. A
/// sweep may be at work: what is only halfway written at a moment is looked at again.
std::vector<Difference> check_records(const Registry& registry, const WorkspacePaths& workspace,
                                      bool with_hashes);

/// Writes run.json and the sweeps' files anew where they differ from the registry. Not while a sweep is at
/// work. Files of a sweep that tell of a run which lies there and is not on record are left as they are: they
/// may be all that is known of it. Returns a sentence for each such sweep.
std::vector<std::string> mend_files(const Registry& registry, const WorkspacePaths& workspace);

}  // namespace expctl
