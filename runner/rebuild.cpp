#include "runner/rebuild.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "runner/file_lock.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What SQLite may have left beside a database.
constexpr const char* kCompanions[] = {"-wal", "-shm", "-journal"};

/// A new database and what SQLite keeps beside it while it is made; removed unless it was renamed away, that
/// of a rebuild that was killed too.
class DraftDatabase {
 public:
  explicit DraftDatabase(const fs::path& target) : target_(target) { remove_all(); }
  ~DraftDatabase() { remove_all(); }
  DraftDatabase(const DraftDatabase&) = delete;
  DraftDatabase& operator=(const DraftDatabase&) = delete;
  fs::path path() const { return draft_name(target_); }

 private:
  void remove_all() const {
    const std::string beginning = fmt::format(".{}.", target_.filename().string());
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(target_.parent_path(), ignored)) {
      if (entry.path().filename().string().starts_with(beginning)) fs::remove(entry.path(), ignored);
    }
  }

  fs::path target_;
};

bool is_there(const fs::path& registry) {
  return fs::exists(registry) ||
         std::any_of(std::begin(kCompanions), std::end(kCompanions),
                     [&](const char* companion) { return fs::exists(registry.string() + companion); });
}

/// The first of registry.db.old-1, -2, ... that is free, with all that would lie beside it.
fs::path free_name(const fs::path& registry) {
  for (int number = 1;; ++number) {
    const fs::path name = fmt::format("{}.old-{}", registry.string(), number);
    if (!is_there(name)) return name;
  }
}

size_t count(const RegistryRows& rows, IdKind kind) {
  return static_cast<size_t>(
      std::count_if(rows.entries.begin(), rows.entries.end(),
                    [&](const EntryRecord& entry) { return parse_id(entry.run.id).value().kind == kind; }));
}

}  // namespace

Rebuilt rebuild_registry(const WorkspacePaths& workspace, bool force) {
  const fs::path registry = workspace.registry();
  if (!fs::is_directory(workspace.root)) {
    throw Error(fmt::format("{}: there is no such workspace", workspace.root.string()),
                "--workspace DIR says where it is", ErrorCode::kNotFound);
  }
  const FileLock lock = lock_idle_workspace(workspace);
  if (fs::exists(registry) && !fs::is_empty(registry) && !force) {
    throw Error(
        fmt::format("{} is there already", registry.string()),
        "expctl registry check compares it with the folders; --force makes it anew and keeps this one as "
        "registry.db.old-1");
  }
  FolderRecords folders = read_folders(workspace);
  const DraftDatabase draft(registry);
  write_registry(draft.path(), folders.rows,
                 [&](const EntryRecord& entry) { return metrics_on_record(entry, workspace); });
  Rebuilt rebuilt{folders.rows.sweeps.size(),
                  count(folders.rows, IdKind::kRun),
                  count(folders.rows, IdKind::kEnsemble),
                  std::move(folders.notes),
                  {}};
  if (is_there(registry)) {  // also a log without its database, which would be taken for the new one's
    rebuilt.set_aside = free_name(registry);
    set_registry_aside(registry, rebuilt.set_aside);
  }
  if (!place_new_file(draft.path(), registry)) {
    throw Error(fmt::format("another command has made {} meanwhile", registry.string()),
                "expctl registry check compares it with the folders");
  }
  return rebuilt;
}

}  // namespace expctl
