// manifest.json: every file below a folder with its size and SHA-256, and which id each entry's folder stands
// for.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"

namespace expctl {

struct ManifestFile {
  std::string path;  ///< relative to the manifest's folder, with '/'
  int64_t bytes = 0;
  std::string sha256;
  bool operator==(const ManifestFile&) const = default;
};

/// Every regular file below `folder` but its own manifest.json, sorted by path. Throws Error where anything
/// in it is neither a file nor a folder (a link could point out of the submission).
/// Files whose SHA-256 is in `known`, by path, are not read.
std::vector<ManifestFile> list_files(const std::filesystem::path& folder,
                                     const std::map<std::string, std::string>& known = {});

/// One file below `folder`. Throws Error.
ManifestFile manifest_file(const std::filesystem::path& folder, const std::filesystem::path& file);

void sort_by_path(std::vector<ManifestFile>& files);

/// Those of a folder below, without its own manifest.json, by their paths in it.
std::vector<ManifestFile> files_below(const std::vector<ManifestFile>& files, const std::string& folder);

Json files_json(const std::vector<ManifestFile>& files);
/// Throws Error naming `source`.
std::vector<ManifestFile> files_from_json(const Json& json, const std::string& source);

/// What is wrong with `found` against `expected`: "x is missing", "y has another content", "z is not in the
/// manifest".
std::vector<std::string> compare_files(const std::vector<ManifestFile>& expected,
                                       const std::vector<ManifestFile>& found);

}  // namespace expctl
