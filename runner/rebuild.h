// `expctl registry rebuild`: the registry of a workspace made anew from its folders.
#pragma once

#include <filesystem>
#include <vector>

#include "core/run_paths.h"
#include "runner/folder_records.h"

namespace expctl {

struct Rebuilt {
  size_t sweeps = 0, runs = 0, ensembles = 0;
  std::vector<FolderNote> notes;
  std::filesystem::path set_aside;  ///< where the registry lies that was there; "" where there was none
};

/// Reads the folders, makes the database under another name, and renames it once it is whole. A registry that
/// is there is never overwritten: an Error, or `force` keeps it as registry.db.old-1 (-2, ...). No sweep can
/// work meanwhile: throws Error (kRegistry) where one does, or anybody else has the registry open. What is
/// thrown leaves the workspace as it was.
Rebuilt rebuild_registry(const WorkspacePaths& workspace, bool force);

}  // namespace expctl
