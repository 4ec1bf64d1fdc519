#include "runner/removal.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "runner/record_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".removed-";

/// Deletes a folder by way of a hidden name, so that half of it is never taken for the whole.
void delete_folder(const WorkspacePaths& workspace, const fs::path& folder, const std::string& name) {
  std::error_code none;
  if (!fs::exists(folder, none)) return;
  const fs::path hidden = workspace.root / (std::string(kPrefix) + name);
  fs::remove_all(hidden, none);  // of an earlier removal that was killed
  fs::rename(folder, hidden, none);
  if (!none) fs::remove_all(hidden, none);
  if (none) throw Error(fmt::format("{}: cannot be deleted: {}", folder.string(), none.message()));
}

/// Entries whose folder a run that may go on begins or learns from.
std::set<std::string> begun_from(const Registry& registry, const WorkspacePaths& workspace) {
  std::set<std::string> ids;
  const auto add_below = [&](const fs::path& root, const fs::path& path) {
    const fs::path below = path.lexically_relative(root);
    if (!below.empty()) ids.insert(below.begin()->string());
  };
  for (const auto& path : registry.checkpoints_in_use()) {
    add_below(workspace.root, path);
    // A sweep file may name them by another way than --workspace does: through a symbolic link.
    std::error_code unreadable;
    add_below(fs::weakly_canonical(workspace.root, unreadable), fs::weakly_canonical(path, unreadable));
  }
  return ids;
}

/// Higher is better; what has no score is worst, of equals the older one is better.
bool is_better(const RunRecord& a, const RunRecord& b) {
  const double x = a.f1.value_or(-1), y = b.f1.value_or(-1);
  return x != y ? x > y : a.position < b.position;
}

}  // namespace

int64_t folder_bytes(const fs::path& folder) {
  int64_t bytes = 0;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator(folder, ignored); at != fs::recursive_directory_iterator();
       at.increment(ignored)) {
    std::error_code gone;
    if (at->is_regular_file(gone)) bytes += static_cast<int64_t>(at->file_size(gone));
  }
  return bytes;
}

void check_removable(const Registry& registry, const WorkspacePaths& workspace,
                     const std::vector<std::string>& ids) {
  registry.check_removable(ids);
  const auto needed = begun_from(registry, workspace);
  for (const auto& id : ids) {
    if (needed.contains(id))
      throw Error(fmt::format("a run that is not over begins or learns from {}", id),
                  "expctl runs says which are queued or stopped");
  }
}

void remove_entry(Registry& registry, const WorkspacePaths& workspace, const std::string& id) {
  auto sweeps = registry.sweeps_of(id);
  // The highest number given is on record in the newest sweep's file, also that of an ensemble or an import.
  if (const auto all = registry.list_sweeps(); sweeps.empty() && !all.empty())
    sweeps.push_back(all.back().id);
  registry.remove_run(id, [&] {
    for (const auto& sweep : sweeps) write_sweep_files(registry, sweep, workspace);
  });
  delete_folder(workspace, workspace.folder(id), id);
}

fs::path folder_of(Spare spare, const RunPaths& paths) {
  return spare == Spare::kState ? paths.state() : paths.checkpoint();
}

std::string_view name_of(Spare spare) {
  return spare == Spare::kState ? "optimizer state" : "weights";
}

std::vector<Clearing> plan_clearing(const std::vector<EntryUse>& entries, const ClearingLimits& limits) {
  std::vector<const EntryUse*> free;
  for (const auto& entry : entries) {
    const bool may_go_on = !is_finished(entry.run.state) || entry.run.state == RunState::kStopped;
    if (!may_go_on && !entry.is_kept && entry.run.tags.empty()) free.push_back(&entry);
  }
  std::vector<Clearing> plan;
  for (const auto* entry : free) {
    if (entry->state_bytes > 0) plan.push_back({entry->run.id, Spare::kState, entry->state_bytes});
  }
  if (!limits.weights) return plan;
  std::vector<const RunRecord*> best;
  for (const auto& entry : entries) {
    if (entry.run.f1 && entry.weights_bytes > 0) best.push_back(&entry.run);
  }
  std::sort(best.begin(), best.end(), [](const auto* a, const auto* b) { return is_better(*a, *b); });
  best.resize(std::min(best.size(), limits.keep));
  const std::set<const RunRecord*> kept(best.begin(), best.end());
  std::sort(free.begin(), free.end(), [](const auto* a, const auto* b) { return is_better(b->run, a->run); });
  for (const auto* entry : free) {
    if (entry->weights_bytes > 0 && kept.count(&entry->run) == 0)
      plan.push_back({entry->run.id, Spare::kWeights, entry->weights_bytes});
  }
  return plan;
}

void clear(Registry& registry, const WorkspacePaths& workspace, const Clearing& clearing) {
  const RunPaths paths = workspace.run(clearing.id);
  const fs::path folder = folder_of(clearing.spare, paths);
  const std::string name = folder.filename().string();
  registry.remove_artifacts(clearing.id, name, [&] { write_run_file(registry, clearing.id, paths); });
  delete_folder(workspace, folder, clearing.id + "-" + name);
}

std::vector<EntryUse> entries_in_use(const Registry& registry, const WorkspacePaths& workspace) {
  std::vector<EntryUse> entries;
  registry.for_each_run({}, [&](RunRecord&& run) {
    run.spec = Json();  // as long as all the rest
    entries.push_back({std::move(run)});
  });
  const auto needed = begun_from(registry, workspace);
  for (auto& entry : entries) {
    const RunPaths paths = workspace.run(entry.run.id);
    entry.is_kept = needed.contains(entry.run.id) || !registry.ensembles_of(entry.run.id).empty() ||
                    !registry.submissions_of(entry.run.id).empty();
    entry.state_bytes = folder_bytes(paths.state());
    entry.weights_bytes = folder_bytes(paths.checkpoint());
  }
  return entries;
}

std::vector<fs::path> leftovers(const Registry& registry, const WorkspacePaths& workspace) {
  auto folders = find_files(workspace.root, std::string(kPrefix) + "*");
  for (auto& replay : find_files(workspace.root, std::string(kReplayPrefix) + "*"))
    folders.push_back(std::move(replay));
  const auto add_drafts = [&](const fs::path& folder) {
    const auto drafts = dead_drafts(folder);
    folders.insert(folders.end(), drafts.begin(), drafts.end());
  };
  add_drafts(workspace.root);
  registry.for_each_run({}, [&](RunRecord&& run) { add_drafts(workspace.folder(run.id)); });
  return folders;
}

}  // namespace expctl
