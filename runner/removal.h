// What goes for good: whole entries, and folders of theirs that nothing needs. The registry commits first;
// then the folder gets a hidden name and is deleted. A crash in between leaves a folder that is not on
// record, or a hidden one, never an entry without its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/run_paths.h"
#include "registry/registry.h"

namespace expctl {

/// Throws Error naming the first of the entries that must stay while the others go: as
/// Registry::check_removable() does, or where a run that may go on begins from its weights.
void check_removable(const Registry& registry, const WorkspacePaths& workspace,
                     const std::vector<std::string>& ids);

/// The entry's row, its folder and its lines in the files of sweeps. Throws Error as Registry::remove_run()
/// does.
void remove_entry(Registry& registry, const WorkspacePaths& workspace, const std::string& id);

/// What of an entry may go while the entry stays.
enum class Spare { kState, kWeights };

std::filesystem::path folder_of(Spare spare, const RunPaths& paths);
std::string_view name_of(Spare spare);  ///< "optimizer state", "weights"

/// An entry as far as it matters to what may go.
struct EntryUse {
  RunRecord run;
  bool is_kept = false;  ///< a member of an ensemble, in a submission, or what another run begins from
  int64_t state_bytes = 0, weights_bytes = 0;
};

struct Clearing {
  std::string id;
  Spare spare;
  int64_t bytes = 0;
};

struct ClearingLimits {
  bool weights = false;  ///< weights may go too
  size_t keep = 10;      ///< of the best scored entries, whose weights stay
};

/// In the order in which it should go: optimizer states, which only a retry would read, then weights, the
/// lowest score first. Never anything of an entry that is kept or has a tag, nor of one that may go on: a
/// queued, running or stopped run.
std::vector<Clearing> plan_clearing(const std::vector<EntryUse>& entries, const ClearingLimits& limits);

/// Takes the folder and what is on record of it. Throws Error where something needs it by now.
void clear(Registry& registry, const WorkspacePaths& workspace, const Clearing& clearing);

/// Every entry of the workspace, with the sizes of its folders.
std::vector<EntryUse> entries_in_use(const Registry& registry, const WorkspacePaths& workspace);

/// Of the folder of a replay that came out otherwise.
inline constexpr std::string_view kReplayPrefix = ".replay-";

/// Hidden folders that a replay that differed has left, and what was killed: a removal, or whatever fills a
/// DraftFolder in the workspace or in the folder of an entry (an ensemble, an evaluation, ...).
std::vector<std::filesystem::path> leftovers(const Registry& registry, const WorkspacePaths& workspace);

/// Bytes of all files below a folder; 0 where there is none.
int64_t folder_bytes(const std::filesystem::path& folder);

}  // namespace expctl
