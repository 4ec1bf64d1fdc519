#include "cli/fetching.h"

#include <fmt/core.h>

#include <functional>
#include <map>
#include <optional>

#include "cli/download.h"
#include "cli/unpack.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "runner/file_lock.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

int64_t size_of(const fs::path& path) {
  return static_cast<int64_t>(fs::file_size(path));
}

/// A download as it grows, for this process alone. A file without a byte is removed at the end.
class PartFile {
 public:
  explicit PartFile(const fs::path& target) : path_(target.string() + ".part") {
    make_folder(path_.parent_path());
    lock_ = FileLock::try_take(path_);
    if (!lock_) {
      throw Error(fmt::format("another expctl fetch is at work on {}", target.string()),
                  "wait for it; what it has fetched is not fetched again");
    }
  }
  ~PartFile() {
    std::error_code ignored;
    if (fs::file_size(path_, ignored) == 0) fs::remove(path_, ignored);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const fs::path& path() const { return path_; }
  int64_t bytes() const { return size_of(path_); }
  /// Keeps the file, which is locked.
  void empty() const { fs::resize_file(path_, 0); }

 private:
  fs::path path_;
  std::optional<FileLock> lock_;
};

/// "its SHA-256 is 0a1b.. (12 bytes), not 5f6e.."; "" where it is the published one.
std::string complaint_about(const fs::path& path, const PublishedFile& file) {
  if (!fs::is_regular_file(path)) return "it is no file";
  const std::string hash = sha256_file(path);
  if (hash == file.sha256) return "";
  return fmt::format("its SHA-256 is {} ({} bytes), not {}", hash, size_of(path), file.sha256);
}

FetchedFile fetched(const fs::path& path, const PublishedFile& file, bool was_there) {
  return {path, size_of(path), file.sha256, was_there};
}

/// Whether the file is there and right. Throws Error where another one is.
bool is_there(const fs::path& path, const PublishedFile& file) {
  if (!fs::exists(fs::symlink_status(path))) return false;
  if (const std::string complaint = complaint_about(path, file); !complaint.empty()) {
    throw Error(fmt::format("{} is there, but is not the published file: {}", path.string(), complaint),
                "move it away, or name another folder with --out");
  }
  return true;
}

/// What a person can do who has to get the files on another machine.
std::string by_hand(const std::vector<std::pair<std::string, fs::path>>& places) {
  std::string text = "get it on another machine, put it where it belongs, and call this again to check it:";
  for (const auto& [url, path] : places) text += fmt::format("\n    {} -> {}", url, path.string());
  return text;
}

/// Downloads until `check`, which says what is wrong with the whole .part, says nothing.
void download_checked(const DownloadRequest& request, const PartFile& part,
                      const std::function<std::string()>& check, DownloadProgress& progress) {
  if (request.bytes > 0 && part.bytes() > request.bytes) part.empty();
  // What an earlier call has left may be of a file that has changed since; then all is fetched anew, once.
  const bool is_older = part.bytes() > 0;
  const auto fetch = [&] {
    if (request.bytes == 0 || part.bytes() != request.bytes) download(request, progress);
    return check();
  };
  std::string complaint = fetch();
  if (!complaint.empty() && is_older) {
    part.empty();
    complaint = fetch();
  }
  if (complaint.empty()) return;
  part.empty();
  throw Error(fmt::format("{}: not what was published: {}", request.url, complaint),
              "it was thrown away; another server can be named in EXPCTL_FETCH_BASE");
}

void fetch_file(const PublishedFile& file, const fs::path& target, const std::string& hint,
                DownloadProgress& progress) {
  const PartFile part(target);
  const auto check = [&] { return complaint_about(part.path(), file); };
  download_checked({file.url, file.name, part.path(), file.bytes, hint}, part, check, progress);
  rename_written(part.path(), target);
}

std::vector<FetchedFile> fetch_files(const PublishedItem& item, const fs::path& folder,
                                     DownloadProgress& progress) {
  std::vector<std::pair<std::string, fs::path>> places;
  std::vector<bool> there;
  for (const auto& file : item.files) {
    there.push_back(is_there(folder / file.name, file));
    if (!there.back()) places.emplace_back(file.url, folder / file.name);
  }
  std::vector<FetchedFile> result;
  for (size_t i = 0; i < item.files.size(); ++i) {
    const PublishedFile& file = item.files[i];
    if (!there[i]) fetch_file(file, folder / file.name, by_hand(places), progress);
    result.push_back(fetched(folder / file.name, file, there[i]));
  }
  return result;
}

/// Unpacks the item's files into an empty folder and checks each. Says what is wrong, or "".
std::string unpack_item(const PublishedItem& item, const fs::path& zip, const fs::path& folder) {
  std::map<std::string, fs::path> wanted;
  for (const auto& file : item.files) wanted[item.zip->folder + "/" + file.name] = folder / file.name;
  if (std::string complaint = unpack_zip(zip, wanted); !complaint.empty()) return complaint;
  for (const auto& file : item.files) {
    if (const std::string complaint = complaint_about(folder / file.name, file); !complaint.empty())
      return fmt::format("{} in it: {}", file.name, complaint);
  }
  return "";
}

void fetch_zip(const PublishedItem& item, const fs::path& folder, DownloadProgress& progress) {
  const fs::path zip = folder.parent_path() / item.zip->name;
  std::optional<DraftFolder> draft;
  const auto check = [&](const fs::path& packed) {
    draft.reset();  // what an earlier check has unpacked goes first: the names are the same
    draft.emplace(folder);
    return unpack_item(item, packed, draft->path());
  };
  if (fs::exists(zip)) {
    if (const std::string complaint = check(zip); !complaint.empty())
      throw Error(fmt::format("{} is not what was published: {}", zip.string(), complaint), "move it away");
    draft->become(folder);
    return;
  }
  const PartFile part(zip);
  const DownloadRequest request{item.zip->url, item.zip->name, part.path(), item.zip->bytes,
                                by_hand({{item.zip->url, zip}})};
  download_checked(
      request, part, [&] { return check(part.path()); }, progress);
  draft->become(folder);
  part.empty();
}

/// Whether all files of the folder are there and right. Throws Error where it holds something else.
bool is_unpacked(const PublishedItem& item, const fs::path& folder) {
  if (!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder))) return false;
  for (const auto& file : item.files) {
    if (is_there(folder / file.name, file)) continue;
    throw Error(fmt::format("{} is there, but {} is not in it", folder.string(), file.name),
                "move it away, or name another folder with --out");
  }
  return true;
}

}  // namespace

std::vector<FetchedFile> fetch_item(const PublishedItem& item, const fs::path& folder,
                                    DownloadProgress& progress) {
  if (!item.zip) return fetch_files(item, folder, progress);
  const bool was_there = is_unpacked(item, folder);
  if (!was_there) fetch_zip(item, folder, progress);
  std::vector<FetchedFile> files;
  for (const auto& file : item.files) files.push_back(fetched(folder / file.name, file, was_there));
  return files;
}

Json fetched_json(const std::vector<FetchedFile>& files) {
  Json list = Json::array();
  for (const auto& file : files)
    list.push_back({{"path", file.path.string()}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return {{"schema_version", 1}, {"files", list}};
}

}  // namespace expctl
