#include "runner/removal.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "runner/record_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".removed-";

/// A folder under a hidden name from here on: deleted by finish(), else put back.
class HiddenFolder {
 public:
  HiddenFolder(const fs::path& folder, const fs::path& hidden) : folder_(folder), hidden_(hidden) {}
  ~HiddenFolder() {
    std::error_code ignored;
    if (is_hidden_) fs::rename(hidden_, folder_, ignored);
  }
  HiddenFolder(const HiddenFolder&) = delete;
  HiddenFolder& operator=(const HiddenFolder&) = delete;

  void hide() {
    fs::remove_all(hidden_);  // of an earlier removal that was killed
    std::error_code none;
    if (!fs::exists(folder_, none)) return;
    fs::rename(folder_, hidden_, none);
    if (none) throw Error(folder_.string() + ": cannot be removed: " + none.message());
    is_hidden_ = true;
  }

  void finish() {
    is_hidden_ = false;
    fs::remove_all(hidden_);
  }

 private:
  fs::path folder_, hidden_;
  bool is_hidden_ = false;
};

fs::path hidden_name(const WorkspacePaths& workspace, const std::string& name) {
  return workspace.root / (std::string(kPrefix) + name);
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
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) bytes += static_cast<int64_t>(entry.file_size(ignored));
  }
  return bytes;
}

void remove_entry(Registry& registry, const WorkspacePaths& workspace, const std::string& id) {
  const auto sweeps = registry.sweeps_of(id);
  HiddenFolder folder(workspace.folder(id), hidden_name(workspace, id));
  try {
    registry.remove_run(id, [&] {
      folder.hide();
      for (const auto& sweep : sweeps) write_sweep_files(registry, sweep, workspace);
    });
  } catch (...) {
    for (const auto& sweep : sweeps) write_sweep_files(registry, sweep, workspace);
    throw;
  }
  folder.finish();
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
    if (entry.run.f1) best.push_back(&entry.run);
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
  const RunPaths paths{workspace.folder(clearing.id)};
  const fs::path folder = folder_of(clearing.spare, paths);
  const std::string name = folder.filename().string();
  HiddenFolder hidden(folder, hidden_name(workspace, clearing.id + "-" + name));
  try {
    registry.remove_artifacts(clearing.id, name, [&] {
      hidden.hide();
      write_run_file(registry, clearing.id, paths);
    });
  } catch (...) {
    write_run_file(registry, clearing.id, paths);
    throw;
  }
  hidden.finish();
}

std::vector<EntryUse> entries_in_use(const Registry& registry, const WorkspacePaths& workspace) {
  std::vector<EntryUse> entries;
  registry.for_each_run({}, [&](RunRecord&& run) {
    run.spec = Json();  // as long as all the rest
    entries.push_back({std::move(run)});
  });
  for (auto& entry : entries) {
    const RunPaths paths{workspace.folder(entry.run.id)};
    entry.is_kept =
        !registry.ensembles_of(entry.run.id).empty() || !registry.submissions_of(entry.run.id).empty();
    entry.state_bytes = folder_bytes(paths.state());
    entry.weights_bytes = folder_bytes(paths.checkpoint());
  }
  return entries;
}

std::vector<fs::path> removal_leftovers(const WorkspacePaths& workspace) {
  return find_files(workspace.root, std::string(kPrefix) + "*");
}

}  // namespace expctl
