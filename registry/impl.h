// What the parts of Registry share. Private to registry/.
#pragma once

#include <fmt/core.h>

#include "core/error.h"
#include "registry/database.h"
#include "registry/registry.h"

namespace expctl {

struct Registry::Impl {
  Impl(const std::filesystem::path& file, Access access)
      : database(file, access), workspace(file.parent_path()), version_seen(version()) {}

  /// SQLite's data_version, which other connections' writes change.
  int64_t version() const {
    int64_t value = 0;
    database.read([&](SQLite::Database& db) { value = db.execAndGet("PRAGMA data_version").getInt64(); });
    return value;
  }

  Database database;
  std::filesystem::path workspace;  ///< the folder that it lies in
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

void insert_evaluation(SQLite::Database& database, const EvaluationRecord& evaluation);

void replace_artifacts(SQLite::Database& database, const std::string& run_id,
                       const std::vector<ArtifactRecord>& artifacts);

void replace_metrics(SQLite::Database& database, const std::string& run_id,
                     const std::vector<MetricRecord>& metrics);

void insert_submission(SQLite::Database& database, const std::string& run_id,
                       const SubmissionRecord& submission);

/// The state of a run inside a transaction; throws Error kNotFound.
RunState state_of(SQLite::Database& database, const std::string& run_id);

/// Moves a run by an event after asking next_state(); throws Error where that is not legal. Returns the new
/// state.
RunState move_run(SQLite::Database& database, const std::string& run_id, RunEvent event);

}  // namespace expctl
