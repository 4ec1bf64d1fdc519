// One entry's folder in a submission: what it takes from the workspace.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

/// A large file that is to be copied, into a folder that is there.
struct FileCopy {
  std::filesystem::path from, to;
};

/// Copies and writes all but unseen/ and manifest.json into `entry`; the files of checkpoints are added to
/// `checkpoints`, for whoever copies them. Returns the manifest's members but "files". The answers are those
/// of the evaluation `evaluation_name`. Throws Error (kNotFound) naming what a run lacks.
Json write_entry(const Registry& registry, const WorkspacePaths& workspace, const RunRecord& chosen,
                 const std::string& evaluation_name, const EntryPaths& entry,
                 std::vector<FileCopy>& checkpoints);

/// eval_only.sh and eval_only.py of an entry, by the members of its manifest.
struct EvalOnlyScripts {
  std::string sh, py;
};
EvalOnlyScripts eval_only_scripts(const std::string& method, const Json& models, const Json& evaluation);

/// How the answers of what `expctl evaluate` has recorded were made, by the keys of a manifest's
/// "evaluation"; members whose precisions differ have "auto".
Json settings_of(const EvaluationRecord& recorded);

/// A file without which a submission is none. Throws Error (kNotFound).
void copy_needed(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& id);

}  // namespace expctl
