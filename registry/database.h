// The SQLite connection of the registry: opening, migrating, and transactions whose errors are expctl's.
// Private to registry/.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

#include <filesystem>
#include <functional>

#include "core/error.h"
#include "registry/journal.h"

namespace expctl {

/// What expctl says of an error of SQLite's about the file.
Error translate(const SQLite::Exception& e, const std::filesystem::path& path);

enum class Access {
  kCreate,  ///< where there is no file, one is made
  kWrite,
  kRead,  ///< nothing is written, not even a newer schema: an older one is refused
};

/// Whether this process may write the file and make others beside it, as SQLite does while it writes.
bool may_write(const std::filesystem::path& path);

class Database {
 public:
  /// Opens and migrates, with the journal that suits the file system. Throws Error.
  Database(const std::filesystem::path& path, Access access);
  /// The same with a journal of the caller's choice.
  Database(const std::filesystem::path& path, Access access, JournalMode journal);

  /// Runs `work` between BEGIN IMMEDIATE and COMMIT; any exception rolls back. Immediate, because a read
  /// transaction that turns into a write fails at once when somebody else wrote in between.
  void write(const std::function<void(SQLite::Database&)>& work);

  /// Runs `work` outside a transaction, for single queries, and returns what it returns.
  template <typename Work>
  auto read(const Work& work) const {
    make_way();
    try {
      return work(connection_);
    } catch (const SQLite::Exception& e) {
      throw translate(e, path_);
    }
  }

 private:
  void prepare();
  void migrate();
  void check_schema();
  uintmax_t log_bytes() const;
  void bound_log();
  void make_way() const;

  std::filesystem::path path_;
  JournalMode journal_;
  uintmax_t log_limit_bytes_;
  bool has_written_ = false;
  mutable SQLite::Database connection_;
};

}  // namespace expctl
