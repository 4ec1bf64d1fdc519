// A folder as one compressed file.
#pragma once

#include <filesystem>

namespace expctl {

/// Writes every file below `folder` into the tar.zst `archive`, under the folder's own name, sorted, without
/// owners: the same content gives the same archive but for times. Streams: the memory it takes does not grow
/// with the files. Replaces `archive` atomically. Throws Error and leaves what was there.
void pack_folder(const std::filesystem::path& folder, const std::filesystem::path& archive);

}  // namespace expctl
