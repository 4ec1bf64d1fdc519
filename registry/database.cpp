#include "registry/database.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "registry/migrations.h"

namespace expctl {
namespace {

constexpr int kBusyTimeout_ms = 10'000;

/// From here on a writer waits a little for readers that never all pause and so keep the log from being begun
/// anew; from twice that on readers pause.
constexpr uintmax_t kLogLimit_bytes = uintmax_t{16} << 20;

/// Whether there is not even room for the file that connections share beside a log: SQLite calls that an
/// error of the disk.
bool has_no_room(const std::filesystem::path& path) {
  std::error_code unknown;
  const auto space = std::filesystem::space(path.parent_path(), unknown);
  return !unknown && space.available < 64 * 1024;
}

}  // namespace

bool may_write(const std::filesystem::path& path) {
  const auto may = [](const std::filesystem::path& one) {
    return ::faccessat(AT_FDCWD, one.c_str(), W_OK, AT_EACCESS) == 0;
  };
  return may(path) && may(std::filesystem::absolute(path).parent_path());
}

Error translate(const SQLite::Exception& e, const std::filesystem::path& path) {
  const int code = e.getErrorCode();
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return Error(fmt::format("{}: another program has been writing for over {} s", path.string(),
                             kBusyTimeout_ms / 1000),
                 "try again; `fuser` on the file says who has it open", ErrorCode::kRegistry);
  }
  if (code == SQLITE_FULL || (code == SQLITE_IOERR && has_no_room(path))) {
    return Error(
        fmt::format("{}: the disk is full", path.string()),
        "make room and try again: what was recorded stays. The folder state/ of a run that has ended may go "
        "(expctl gc does it, once there is room for 200 kB)");
  }
  if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) {
    return Error(fmt::format("{}: cannot be opened{}: {}", path.string(),
                             code == SQLITE_READONLY ? " for writing" : "", e.what()),
                 "check the permissions of the workspace, or choose another with --workspace");
  }
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
    return Error(
        fmt::format("{}: is damaged or no registry: {}", path.string(), e.what()),
        "put a copy back (expctl registry backup makes them), or make it anew from the folders: expctl "
        "registry rebuild --force");
  }
  return Error(fmt::format("{}: {}", path.string(), e.what()));
}

namespace {

int flags_of(Access access) {
  if (access == Access::kRead) return SQLite::OPEN_READONLY;
  return SQLite::OPEN_READWRITE | (access == Access::kCreate ? SQLite::OPEN_CREATE : 0);
}

/// Whether the file has a log beside it while somebody has it open (byte 18 of the file format).
bool is_logged(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  constexpr std::streamoff kWriteVersion = 18;
  constexpr int kLog = 2;
  file.seekg(kWriteVersion);
  return file.get() == kLog;
}

/// The file as a URI that SQLite reads without locks and without the files it shares beside a log, which it
/// could not make. Right only while nobody writes.
std::string unchanging(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#')
      uri += fmt::format("%{:02X}", static_cast<int>(c));
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

SQLite::Database open(const std::filesystem::path& path, Access access) {
  const auto log = std::filesystem::path(path.string() + "-wal");
  try {
    if (access == Access::kRead && !may_write(path) && is_logged(path) && !std::filesystem::exists(log))
      return {unchanging(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI, kBusyTimeout_ms};
    return {path.string(), flags_of(access), kBusyTimeout_ms};
  } catch (const SQLite::Exception& e) {
    throw translate(e, path);
  }
}

/// Several who open a new file at once get SQLITE_BUSY from the change of its journal without any waiting, so
/// the waiting is done here.
void use_journal(SQLite::Database& connection, JournalMode journal) {
  constexpr int kPause_ms = 20;
  for (int waited_ms = 0;; waited_ms += kPause_ms) {
    try {
      connection.exec(fmt::format("PRAGMA journal_mode = {}", name_of(journal)));
      return;
    } catch (const SQLite::Exception& e) {
      if (e.getErrorCode() != SQLITE_BUSY || waited_ms >= kBusyTimeout_ms) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kPause_ms));
  }
}

int user_version(SQLite::Database& connection) {
  return connection.execAndGet("PRAGMA user_version").getInt();
}

void check_not_newer(const std::filesystem::path& path, int version) {
  const auto newest = static_cast<int>(embedded_migrations().size());
  if (version <= newest) return;
  throw Error(
      fmt::format("{}: its schema is number {}, this program knows up to {}", path.string(), version, newest),
      "use the newer expctl that wrote it", ErrorCode::kRegistry);
}

}  // namespace

Database::Database(const std::filesystem::path& path, Access access)
    : Database(path, access, file_system_at(path).journal) {}

Database::Database(const std::filesystem::path& path, Access access, JournalMode journal)
    : path_(path), journal_(journal), log_limit_bytes_(kLogLimit_bytes), connection_(open(path, access)) {
  try {
    if (access == Access::kRead)
      check_schema();
    else
      prepare();
  } catch (const SQLite::Exception& e) {
    throw translate(e, path_);
  }
}

void Database::prepare() {
  use_journal(connection_, journal_);
  connection_.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  connection_.exec(fmt::format("PRAGMA journal_size_limit = {}", kLogLimit_bytes));  // once it begins anew
  migrate();
}

/// Of a file that may only be read.
void Database::check_schema() {
  const auto newest = static_cast<int>(embedded_migrations().size());
  const int version = user_version(connection_);
  check_not_newer(path_, version);
  if (version < newest) {
    throw Error(fmt::format("{}: its schema is number {}, not yet {}", path_.string(), version, newest),
                "`expctl runs` of who may write it brings it up to date", ErrorCode::kRegistry);
  }
}

void Database::migrate() {
  const auto& migrations = embedded_migrations();
  const auto newest = static_cast<int>(migrations.size());
  const int version = user_version(connection_);
  check_not_newer(path_, version);
  if (version == newest) return;
  // The version is read again under the lock: another process may have migrated since.
  SQLite::Transaction transaction(connection_, SQLite::TransactionBehavior::EXCLUSIVE);
  for (int i = user_version(connection_); i < newest; ++i)
    connection_.exec(std::string(migrations[static_cast<size_t>(i)].content));
  connection_.exec(fmt::format("PRAGMA user_version = {}", newest));
  transaction.commit();
}

void Database::write(const std::function<void(SQLite::Database&)>& work) {
  has_written_ = true;
  try {
    SQLite::Transaction transaction(connection_, SQLite::TransactionBehavior::IMMEDIATE);
    work(connection_);
    transaction.commit();
  } catch (const SQLite::Exception& e) {
    throw translate(e, path_);
  }
  bound_log();
}

uintmax_t Database::log_bytes() const {
  if (journal_ != JournalMode::kWal) return 0;
  std::error_code none;
  const uintmax_t size = std::filesystem::file_size(path_.string() + "-wal", none);
  return none ? 0 : size;
}

/// SQLite itself begins the log anew only when it finds no reader in it. Here the readers are waited for, not
/// long: one that stays (a shell, a copy being made) must not hold up a sweep.
void Database::bound_log() {
  constexpr int kPatience_ms = 200;  // for each time the limit that the log has
  const uintmax_t size = log_bytes();
  if (size < log_limit_bytes_) return;
  connection_.setBusyTimeout(kPatience_ms * static_cast<int>(std::min<uintmax_t>(5, size / kLogLimit_bytes)));
  const int result = sqlite3_wal_checkpoint_v2(connection_.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                               nullptr, nullptr);
  connection_.setBusyTimeout(kBusyTimeout_ms);
  log_limit_bytes_ = result == SQLITE_OK ? kLogLimit_bytes : size + kLogLimit_bytes / 4;
}

/// Who only looks leaves the writer a gap.
void Database::make_way() const {
  constexpr auto kGap = std::chrono::milliseconds(50);
  if (!has_written_ && log_bytes() >= 2 * kLogLimit_bytes) std::this_thread::sleep_for(kGap);
}

}  // namespace expctl
