// What the parts of Registry share. Private to registry/.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/run_paths.h"
#include "registry/database.h"
#include "registry/registry.h"

namespace expctl {

/// What `read_row` makes of each row that the query has with these values.
template <typename ReadRow, typename... Values>
auto rows_of(SQLite::Database& database, const std::string& sql, const ReadRow& read_row,
             const Values&... values) {
  SQLite::Statement query(database, sql);
  SQLite::bind(query, values...);
  std::vector<std::invoke_result_t<ReadRow, SQLite::Statement&>> rows;
  while (query.executeStep()) rows.push_back(read_row(query));
  return rows;
}

/// The same of its first row; nothing where it has none.
template <typename ReadRow, typename... Values>
auto first_of(SQLite::Database& database, const std::string& sql, const ReadRow& read_row,
              const Values&... values) {
  SQLite::Statement query(database, sql);
  SQLite::bind(query, values...);
  return query.executeStep() ? std::optional(read_row(query)) : std::nullopt;
}

/// These read the first column alone.
inline std::string read_text(SQLite::Statement& row) {
  return row.getColumn(0).getString();
}
inline int64_t read_integer(SQLite::Statement& row) {
  return row.getColumn(0).getInt64();
}
inline double read_real(SQLite::Statement& row) {
  return row.getColumn(0).getDouble();
}

/// Runs one statement that changes rows; returns how many.
template <typename... Values>
int change(SQLite::Database& database, const std::string& sql, const Values&... values) {
  SQLite::Statement statement(database, sql);
  SQLite::bind(statement, values...);
  return statement.exec();
}

struct Registry::Impl {
  Impl(const std::filesystem::path& file, Access access)
      : database(file, access), workspace{file.parent_path()}, version_seen(version()) {}

  /// SQLite's data_version, which other connections' writes change.
  int64_t version() const {
    return database.read(
        [](SQLite::Database& db) { return db.execAndGet("PRAGMA data_version").getInt64(); });
  }

  /// rows_of() and first_of() outside a transaction.
  template <typename ReadRow, typename... Values>
  auto rows(const std::string& sql, const ReadRow& read_row, const Values&... values) const {
    return database.read([&](SQLite::Database& db) { return rows_of(db, sql, read_row, values...); });
  }
  template <typename ReadRow, typename... Values>
  auto first(const std::string& sql, const ReadRow& read_row, const Values&... values) const {
    return database.read([&](SQLite::Database& db) { return first_of(db, sql, read_row, values...); });
  }

  Database database;
  WorkspacePaths workspace;  ///< that it lies in
  int64_t version_seen;
};

/// Every column of a RunRecord, in the order that read_run() takes them; joined with the evaluation
/// "default".
constexpr const char* kSelectRuns =
    "SELECT r.id, coalesce(r.sweep_id, ''), r.name, r.state, r.reason, r.message, r.config_hash, r.seed, "
    "r.params, r.spec, "
    "r.attempts, r.retries_used, r.created, r.started, r.ended, e.f1, e.exact_match, "
    "(SELECT json_group_array(tag) FROM tags WHERE run_id = r.id), r.position "
    "FROM runs r LEFT JOIN evaluations e ON e.run_id = r.id AND e.name = 'default' ";

RunRecord read_run(SQLite::Statement& row);

std::optional<RunRecord> select_run(SQLite::Database& database, const std::string& run_id);

/// With its tags. Its position is allotted where it has none (0); scores are evaluations'.
void insert_run(SQLite::Database& database, const RunRecord& run);

void insert_sweep(SQLite::Database& database, const SweepRecord& sweep);

void insert_members(SQLite::Database& database, const std::string& ensemble_id,
                    const std::vector<std::string>& members);

void insert_evaluation(SQLite::Database& database, const EvaluationRecord& evaluation);

void replace_artifacts(SQLite::Database& database, const std::string& run_id,
                       const std::vector<ArtifactRecord>& artifacts);

void replace_metrics(SQLite::Database& database, const std::string& run_id,
                     const std::vector<MetricRecord>& metrics);

std::vector<SubmissionRecord> submissions_with(SQLite::Database& database, const std::string& run_id);

void insert_submission(SQLite::Database& database, const std::string& run_id,
                       const SubmissionRecord& submission);

/// The state of a run inside a transaction; throws Error kNotFound.
RunState state_of(SQLite::Database& database, const std::string& run_id);

/// Moves a run by an event after asking next_state(); throws Error where that is not legal. Returns the new
/// state.
RunState move_run(SQLite::Database& database, const std::string& run_id, RunEvent event);

}  // namespace expctl
