// Takes chosen files out of a zip that is not trusted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace expctl {

/// Writes the files of `zip` that `wanted` names ("folder/vocab.txt") to the places that it gives, synced; no
/// name of the archive is ever taken for a path. Returns "" or, for people, what is wrong with the archive:
/// it holds an absolute path, "..", a link or anything else but files and folders, one name twice, a file
/// whose checksum is not its own, more than `most_bytes` of what is wanted, or lacks a file that is wanted.
/// Throws Error where it cannot be opened or a file cannot be written. What has been written by then is left.
std::string unpack_zip(const std::filesystem::path& zip,
                       const std::map<std::string, std::filesystem::path>& wanted,
                       int64_t most_bytes = int64_t{2} << 30);

}  // namespace expctl
