// Which journal SQLite keeps, by the file system that the registry lies on: a write-ahead log needs memory
// that all its users share, which a file system of the network has not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace expctl {

enum class JournalMode {
  kWal,       ///< readers and a writer do not hold each other up
  kTruncate,  ///< a rollback journal: they wait for each other. Cut to nothing, not deleted, since SQLite
              ///< syncs that: a commit is as durable as with kWal
};

struct FileSystem {
  std::string name;  ///< "NFS", "ext4"; of one that is not known its number
  JournalMode journal = JournalMode::kWal;
};

/// By the number that statfs() gives (f_type). One that is not known counts as local.
FileSystem file_system_of(uint32_t magic);

/// That of `path`, or of the nearest folder above it that exists. Throws Error.
FileSystem file_system_at(std::filesystem::path path);

/// As PRAGMA journal_mode takes and says it.
std::string_view name_of(JournalMode mode);

}  // namespace expctl
