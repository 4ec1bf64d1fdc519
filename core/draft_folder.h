// Folders that are whole before anybody sees them.
#pragma once

#include <filesystem>
#include <vector>

namespace expctl {

/// A folder to fill before anybody may see it: ".NAME.draft-HOST-PID" beside `target`. Removed with all that
/// is in it unless it has become the target; what a killed program has left of the same target is removed
/// too.
class DraftFolder {
 public:
  /// Throws Error where it cannot be made, also where there is one of that name.
  explicit DraftFolder(const std::filesystem::path& target);
  ~DraftFolder();
  DraftFolder(const DraftFolder&) = delete;
  DraftFolder& operator=(const DraftFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Renames it; `target` must not exist, or be an empty folder.
  void become(const std::filesystem::path& target) const;

 private:
  std::filesystem::path path_;
};

/// The DraftFolders in `folder` that nobody fills any more, sorted: those of this host whose process is gone
/// (or would be this one, which has none in this folder yet), those of another host that are older than a
/// day, since a workspace may be shared.
std::vector<std::filesystem::path> dead_drafts(const std::filesystem::path& folder);

}  // namespace expctl
