#include "registry/maintenance.h"

#include <sqlite3.h>

#include <chrono>
#include <thread>

#include "core/files.h"
#include "registry/impl.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> faults_of(SQLite::Database& db) {
  std::vector<std::string> faults;
  SQLite::Statement pages(db, "PRAGMA integrity_check");
  while (pages.executeStep()) {
    if (const std::string said = pages.getColumn(0).getString(); said != "ok") faults.push_back(said);
  }
  SQLite::Statement references(db, "PRAGMA foreign_key_check");
  while (references.executeStep()) {
    faults.push_back(fmt::format("a row of {} refers to a row of {} that is not there",
                                 references.getColumn(0).getString(), references.getColumn(2).getString()));
  }
  return faults;
}

/// All pages in one step: a reader's view of one moment, which no writer disturbs.
void copy_pages(SQLite::Database& from, SQLite::Database& to) {
  constexpr int kPatience_ms = 10'000, kPause_ms = 20;
  sqlite3_backup* copying = sqlite3_backup_init(to.getHandle(), "main", from.getHandle(), "main");
  if (copying == nullptr) throw SQLite::Exception(to.getHandle());
  int result = SQLITE_BUSY;
  for (int waited_ms = 0; waited_ms < kPatience_ms; waited_ms += kPause_ms) {
    result = sqlite3_backup_step(copying, -1);
    if (result != SQLITE_BUSY && result != SQLITE_LOCKED) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(kPause_ms));
  }
  sqlite3_backup_finish(copying);
  if (result != SQLITE_DONE) throw SQLite::Exception("the copy has failed", result);
}

void insert_sweeps(SQLite::Database& db, const RegistryRows& rows) {
  for (const auto& [sweep, runs] : rows.sweeps) insert_sweep(db, sweep);
  for (const auto& [kind, highest] : rows.highest_ids)
    change(db, "UPDATE id_counters SET highest = ? WHERE kind = ?", highest, std::string(prefix_of(kind)));
}

void insert_attempts(SQLite::Database& db, const EntryRecord& entry) {
  for (const auto& a : entry.attempts) {
    change(db,
           "INSERT INTO attempts (run_id, attempt, token, started, ended, ending, reason) "
           "VALUES (?, ?, ?, ?, ?, ?, ?)",
           entry.run.id, a.attempt, a.token, a.started, a.ended, a.end, std::string(name_of(a.reason)));
  }
}

/// What refers to entries that may come later.
void insert_links(SQLite::Database& db, const RegistryRows& rows) {
  for (const auto& entry : rows.entries) {
    insert_members(db, entry.run.id, entry.members);
    for (const auto& submission : entry.submissions) insert_submission(db, entry.run.id, submission);
  }
  for (const auto& sweep : rows.sweeps) {
    for (const auto& run : sweep.runs)
      change(db, "INSERT INTO sweep_runs (sweep_id, run_id) VALUES (?, ?)", sweep.record.id, run);
  }
}

}  // namespace

std::vector<std::string> Registry::faults() const {
  return impl_->database.read(faults_of);
}

void copy_registry(const fs::path& from, const fs::path& to) {
  const fs::path draft = draft_name(to);
  fs::remove(draft);
  try {
    {
      SQLite::Database source(from.string(), SQLite::OPEN_READWRITE);
      SQLite::Database copy(draft.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      copy_pages(source, copy);
      copy.exec("PRAGMA journal_mode = DELETE");  // one file, which can be read wherever it is carried to
      if (const auto faults = faults_of(copy); !faults.empty())
        throw Error(fmt::format("{}: {}", from.string(), faults.front()), "expctl registry check says more");
    }
    if (!place_new_file(draft, to))
      throw Error(fmt::format("{} is there already", to.string()), "name another file");
  } catch (const SQLite::Exception& e) {
    fs::remove(draft);
    throw translate(e, from);
  } catch (...) {
    fs::remove(draft);
    throw;
  }
}

void write_registry(const fs::path& path, const RegistryRows& rows,
                    const std::function<std::vector<MetricRecord>(const EntryRecord&)>& metrics_of) {
  Database database(path, Access::kCreate);
  database.write([&](SQLite::Database& db) {
    insert_sweeps(db, rows);
    for (const auto& entry : rows.entries) {
      insert_run(db, entry.run);
      insert_attempts(db, entry);
      for (auto evaluation : entry.evaluations) {
        evaluation.run_id = entry.run.id;
        insert_evaluation(db, evaluation);
      }
      replace_artifacts(db, entry.run.id, entry.artifacts);
      replace_metrics(db, entry.run.id, metrics_of(entry));
    }
    insert_links(db, rows);
  });
}

void set_registry_aside(const fs::path& from, const fs::path& to) {
  const auto rename_all = [&] {
    for (const char* part : {"-wal", "-shm", "-journal", ""}) {
      const fs::path old = from.string() + part;
      if (fs::exists(old)) fs::rename(old, to.string() + part);
    }
  };
  // What is left of a file that is gone is not to be opened: SQLite would throw it away.
  if (!fs::exists(from)) return rename_all();
  try {
    SQLite::Database connection(from.string(), SQLite::OPEN_READWRITE);
    connection.exec("PRAGMA locking_mode = EXCLUSIVE");
    connection.execAndGet("PRAGMA journal_mode = DELETE");  // moves the log into the database
    connection.exec("BEGIN EXCLUSIVE");                     // until it has its new name
    fs::rename(from, to);
  } catch (const SQLite::Exception& e) {
    if (e.getErrorCode() != SQLITE_BUSY && e.getErrorCode() != SQLITE_LOCKED) return rename_all();
    throw Error(fmt::format("{}: another program has it open", from.string()),
                "try again when it has ended; `fuser` on the file says which", ErrorCode::kRegistry);
  }
}

}  // namespace expctl
