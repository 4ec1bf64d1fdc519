// Fetches published files: downloads what is not there, checks it, and only then gives it its name.
//
// A download grows in NAME.part beside its place (for a zip beside the item's folder), and a later call goes
// on with it. Files that are there already are checked, never replaced.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/download_progress.h"
#include "cli/published.h"
#include "core/json.h"

namespace expctl {

struct FetchedFile {
  std::filesystem::path path;
  int64_t bytes = 0;
  std::string sha256;
  bool was_there = false;
};

/// Puts the files of `item` into `folder` (absolute), made where it does not exist; in the order of the item.
/// A zip that lies beside `folder` under its published name is taken in place of a download, and left.
///
/// Throws Error, and changes nothing in `folder` but for files of the item already whole: another file is
/// there under the name of one; the address cannot be had (the hint says what to put where by hand); what it
/// serves is not what was published (the .part is emptied then); the disk is full (the .part stays); another
/// expctl is at it.
std::vector<FetchedFile> fetch_item(const PublishedItem& item, const std::filesystem::path& folder,
                                    DownloadProgress& progress);

/// {"schema_version":1,"files":[{"path","bytes","sha256"}]}
Json fetched_json(const std::vector<FetchedFile>& files);

}  // namespace expctl
