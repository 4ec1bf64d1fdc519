#include "reports/manifest.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "core/tiles.h"

namespace expctl {
namespace fs = std::filesystem;

namespace {
constexpr const char* kManifestName = "manifest.json";
}  // namespace

std::vector<ManifestFile> list_files(const fs::path& folder,
                                     const std::map<std::string, std::string>& known) {
  std::vector<ManifestFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    const std::string path = entry.path().lexically_relative(folder).generic_string();
    if (entry.is_symlink() || !entry.is_regular_file()) {
      throw Error(fmt::format("{}: it is neither a file nor a folder", entry.path().string()),
                  "a submission holds its files itself");
    }
    if (path != kManifestName) files.push_back({path, 0, ""});
  }
  for_each_tile(static_cast<int64_t>(files.size()), [&](int64_t i, int64_t) {
    auto& file = files[static_cast<size_t>(i)];
    const auto hash = known.find(file.path);
    if (hash == known.end())
      file = manifest_file(folder, folder / file.path);
    else
      file = {file.path, static_cast<int64_t>(fs::file_size(folder / file.path)), hash->second};
  });
  sort_by_path(files);
  return files;
}

ManifestFile manifest_file(const fs::path& folder, const fs::path& file) {
  return {file.lexically_relative(folder).generic_string(), static_cast<int64_t>(fs::file_size(file)),
          sha256_file(file)};
}

void sort_by_path(std::vector<ManifestFile>& files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
}

std::vector<ManifestFile> files_below(const std::vector<ManifestFile>& files, const std::string& folder) {
  std::vector<ManifestFile> below;
  for (const auto& file : files) {
    if (!file.path.starts_with(folder + "/")) continue;
    ManifestFile own = file;
    own.path = file.path.substr(folder.size() + 1);
    if (own.path != kManifestName) below.push_back(own);
  }
  return below;
}

Json files_json(const std::vector<ManifestFile>& files) {
  Json list = Json::array();
  for (const auto& file : files)
    list.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return list;
}

std::vector<ManifestFile> files_from_json(const Json& json, const std::string& source) {
  if (!json.is_array()) throw Error(fmt::format("{}: 'files' is not a list", source));
  std::vector<ManifestFile> files;
  for (const auto& file : json) {
    files.push_back({json_get<std::string>(file, "path", source), json_get<int64_t>(file, "bytes", source),
                     json_get<std::string>(file, "sha256", source)});
  }
  return files;
}

std::vector<std::string> compare_files(const std::vector<ManifestFile>& expected,
                                       const std::vector<ManifestFile>& found) {
  std::map<std::string, ManifestFile> left;
  for (const auto& file : found) left[file.path] = file;
  std::vector<std::string> problems;
  for (const auto& file : expected) {
    const auto parts = split(file.path, '/');
    if (file.path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
      problems.push_back(fmt::format("{} leads out of the submission", file.path));
      continue;
    }
    const auto there = left.find(file.path);
    if (there == left.end()) {
      problems.push_back(fmt::format("{} is missing", file.path));
      continue;
    }
    if (!(there->second == file)) problems.push_back(fmt::format("{} has another content", file.path));
    left.erase(there);
  }
  for (const auto& [path, file] : left) problems.push_back(fmt::format("{} is not in the manifest", path));
  return problems;
}

}  // namespace expctl
