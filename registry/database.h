// The SQLite connection of the registry: opening, migrating, and transactions whose errors are expctl's.
// Private to registry/.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

#include <filesystem>
#include <functional>

namespace expctl {

class Database {
 public:
  /// Opens (creates where `create`) and migrates. Throws Error.
  Database(const std::filesystem::path& path, bool create);

  /// Runs `work` between BEGIN IMMEDIATE and COMMIT; any exception rolls back. Immediate, because a read
  /// transaction that turns into a write fails at once when somebody else wrote in between.
  void write(const std::function<void(SQLite::Database&)>& work);

  /// Runs `work` outside a transaction, for single queries.
  void read(const std::function<void(SQLite::Database&)>& work) const;

 private:
  void migrate();

  std::filesystem::path path_;
  mutable SQLite::Database connection_;
};

}  // namespace expctl
