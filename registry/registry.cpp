// Opening, the life of a run, and what a run leaves.
#include "registry/registry.h"

#include "core/run_paths.h"
#include "core/text.h"
#include "registry/impl.h"

namespace expctl {

Registry::Registry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::~Registry() = default;
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;

namespace {
namespace fs = std::filesystem;

/// Throws where there is nothing on record of the runs that lie beside the file.
void check_not_lost(const fs::path& path) {
  std::error_code missing;
  const bool is_empty = fs::file_size(path, missing) == 0;
  if (!missing && !is_empty) return;
  size_t runs = 0, ensembles = 0;
  const WorkspacePaths workspace{path.parent_path()};
  for (const Id id : ids_in(workspace)) {
    const RunPaths files = workspace.run(to_string(id));
    if (fs::exists(files.run()) || fs::exists(files.ensemble()))
      ++(id.kind == IdKind::kEnsemble ? ensembles : runs);
  }
  if (runs + ensembles == 0) return;
  std::string entries = counted(runs, "run");
  if (ensembles > 0) entries += " and " + counted(ensembles, "ensemble");
  throw Error(fmt::format("{}: {} {} here, but {} is {}", workspace.root.string(), entries,
                          runs + ensembles == 1 ? "lies" : "lie", path.filename().string(),
                          missing ? "missing" : "empty"),
              "expctl registry rebuild takes them in; for a fresh start use --workspace OTHER");
}

void check_exists(const fs::path& path) {
  check_not_lost(path);
  if (fs::exists(path)) return;
  throw Error(fmt::format("{}: there is no registry", path.string()),
              "expctl sweep FILE makes one, expctl registry rebuild one that was lost; --workspace DIR "
              "says where it is",
              ErrorCode::kNotFound);
}

Access access_to_look(const fs::path& path) {
  return may_write(path) ? Access::kWrite : Access::kRead;
}

}  // namespace

Registry Registry::open(const std::filesystem::path& path) {
  check_not_lost(path);
  return Registry(std::make_unique<Impl>(path, Access::kCreate));
}

Registry Registry::open_existing(const std::filesystem::path& path) {
  check_exists(path);
  return Registry(std::make_unique<Impl>(path, Access::kWrite));
}

Registry Registry::open_to_look(const std::filesystem::path& path) {
  check_exists(path);
  return Registry(std::make_unique<Impl>(path, access_to_look(path)));
}

std::optional<Registry> Registry::open_if_there(const std::filesystem::path& path) {
  check_not_lost(path);
  if (!fs::exists(path)) return std::nullopt;
  return Registry(std::make_unique<Impl>(path, access_to_look(path)));
}

Registry Registry::open_read_only(const std::filesystem::path& path) {
  check_exists(path);
  return Registry(std::make_unique<Impl>(path, Access::kRead));
}

RunState state_of(SQLite::Database& database, const std::string& run_id) {
  const auto state = first_of(database, "SELECT state FROM runs WHERE id = ?", read_text, run_id);
  if (!state) throw Error(fmt::format("there is no run '{}'", run_id), "", ErrorCode::kNotFound);
  return run_state_from(*state).value();
}

RunState move_run(SQLite::Database& database, const std::string& run_id, RunEvent event) {
  const RunState state = state_of(database, run_id);
  const auto next = next_state(state, event);
  if (!next) throw Error(fmt::format("{} is {}: that cannot happen to it now", run_id, name_of(state)));
  change(database, "UPDATE runs SET state = ? WHERE id = ?", std::string(name_of(*next)), run_id);
  return *next;
}

RunRecord Registry::start_attempt(const std::string& run_id, const AttemptRecord& attempt,
                                  const std::function<void()>& before_commit) {
  RunRecord run;
  impl_->database.write([&](SQLite::Database& db) {
    move_run(db, run_id, RunEvent::kStarted);
    change(
        db,
        "UPDATE runs SET attempts = attempts + 1, started = CASE WHEN started = 0 THEN ?1 ELSE started END, "
        "ended = 0, reason = '', message = '' WHERE id = ?2",
        attempt.started, run_id);
    run = select_run(db, run_id).value();
    change(db, "INSERT INTO attempts (run_id, attempt, token, started) VALUES (?, ?, ?, ?)", run_id,
           run.attempts, attempt.token, attempt.started);
    before_commit();
  });
  return run;
}

void replace_artifacts(SQLite::Database& database, const std::string& run_id,
                       const std::vector<ArtifactRecord>& artifacts) {
  change(database, "DELETE FROM artifacts WHERE run_id = ?", run_id);
  for (const auto& artifact : artifacts) {
    change(database, "INSERT INTO artifacts (run_id, path, bytes, sha256) VALUES (?, ?, ?, ?)", run_id,
           artifact.path, artifact.bytes, artifact.sha256);
  }
}

void replace_metrics(SQLite::Database& database, const std::string& run_id,
                     const std::vector<MetricRecord>& metrics) {
  change(database, "DELETE FROM metrics WHERE run_id = ?", run_id);
  SQLite::Statement insert(  // prepared once: there may be a hundred thousand
      database,
      "INSERT INTO metrics (run_id, step, epoch, loss, learning_rate, time) VALUES (?, ?, ?, ?, ?, ?)");
  for (const auto& m : metrics) {
    SQLite::bind(insert, run_id, m.step, m.epoch, m.loss, m.learning_rate, m.time);
    insert.exec();
    insert.reset();
  }
}

RunRecord Registry::finish_attempt(const std::string& run_id, const Outcome& outcome, bool retry,
                                   const AttemptResults& results,
                                   const std::function<void()>& before_commit) {
  RunRecord finished;
  impl_->database.write([&](SQLite::Database& db) {
    if (results.metrics) replace_metrics(db, run_id, *results.metrics);
    if (results.evaluation) insert_evaluation(db, *results.evaluation);
    if (!results.artifacts.empty()) replace_artifacts(db, run_id, results.artifacts);
    const bool retried = retry && outcome.end == AttemptEnd::kFailed;
    const RunState next = move_run(db, run_id, retried ? RunEvent::kRetried : event_of(outcome.end));
    const bool failed = next == RunState::kFailed;
    change(db,
           "UPDATE runs SET reason = ?, message = ?, retries_used = retries_used + ?, ended = ? WHERE id = ?",
           std::string(failed ? name_of(outcome.reason) : ""), outcome.message, retried ? 1 : 0,
           is_finished(next) ? outcome.ended : 0.0, run_id);
    change(db, "UPDATE attempts SET ended = ?, ending = ?, reason = ? WHERE run_id = ? AND ended = 0",
           outcome.ended, std::string(name_of(outcome.end)), std::string(name_of(outcome.reason)), run_id);
    finished = select_run(db, run_id).value();
    before_commit();
  });
  return finished;
}

bool Registry::apply_event(const std::string& run_id, RunEvent event,
                           const std::function<void()>& before_commit) {
  // A running run goes through most of these too, but then they are its attempt's to say.
  const RunState from = event == RunEvent::kStopped   ? RunState::kQueued
                        : event == RunEvent::kRetried ? RunState::kFailed
                                                      : RunState::kStopped;
  bool applied = false;
  impl_->database.write([&](SQLite::Database& db) {
    if (state_of(db, run_id) != from) return;
    move_run(db, run_id, event);
    applied = true;
    if (event == RunEvent::kRetried)  // a person's retry
      change(db, "UPDATE runs SET retries_used = 0, reason = '', message = '', ended = 0 WHERE id = ?",
             run_id);
    before_commit();
  });
  return applied;
}

void Registry::set_specs(const std::map<std::string, RunSpec>& specs) {
  if (specs.empty()) return;
  impl_->database.write([&](SQLite::Database& db) {
    for (const auto& [run_id, spec] : specs) {
      if (state_of(db, run_id) != RunState::kQueued) continue;
      const int changed = change(db, "UPDATE runs SET spec = ? WHERE id = ? AND config_hash = ? AND seed = ?",
                                 json_line(to_json(spec)), run_id, config_hash(spec), spec.train.seed);
      if (changed != 1) throw Error(fmt::format("{} is of another config or seed", run_id));
    }
  });
}

namespace {

constexpr const char* kSelectAttempts =
    "SELECT run_id, attempt, token, started, ended, ending, reason FROM attempts WHERE run_id = ? ";

AttemptRecord read_attempt(SQLite::Statement& row) {
  return {row.getColumn(0).getString(),
          row.getColumn(1).getInt(),
          row.getColumn(2).getString(),
          row.getColumn(3).getDouble(),
          row.getColumn(4).getDouble(),
          row.getColumn(5).getString(),
          fail_reason_from(row.getColumn(6).getString()).value()};
}

}  // namespace

std::map<std::string, double> Registry::attempt_seconds() const {
  const auto rows = impl_->rows(
      "SELECT run_id, sum(ended - started) FROM attempts WHERE ended > 0 GROUP BY run_id",
      [](SQLite::Statement& row) { return std::pair(read_text(row), row.getColumn(1).getDouble()); });
  return {rows.begin(), rows.end()};
}

std::optional<AttemptRecord> Registry::running_attempt(const std::string& run_id) const {
  return impl_->first(std::string(kSelectAttempts) + "AND ended = 0 ORDER BY attempt DESC LIMIT 1",
                      read_attempt, run_id);
}

std::vector<AttemptRecord> Registry::attempts(const std::string& run_id) const {
  return impl_->rows(std::string(kSelectAttempts) + "ORDER BY attempt", read_attempt, run_id);
}

void insert_evaluation(SQLite::Database& database, const EvaluationRecord& evaluation) {
  change(database,
         "INSERT OR REPLACE INTO evaluations (run_id, name, f1, exact_match, settings) "
         "VALUES (?, ?, ?, ?, ?)",
         evaluation.run_id, evaluation.name, evaluation.f1, evaluation.exact_match,
         json_line(evaluation.settings));
}

void Registry::set_evaluation(const EvaluationRecord& evaluation,
                              const std::function<void()>& before_commit) {
  impl_->database.write([&](SQLite::Database& db) {
    insert_evaluation(db, evaluation);
    before_commit();
  });
}

std::vector<EvaluationRecord> Registry::evaluations(const std::string& run_id) const {
  return impl_->rows(
      "SELECT name, f1, exact_match, settings FROM evaluations WHERE run_id = ? ORDER BY name",
      [&](SQLite::Statement& row) -> EvaluationRecord {
        return {run_id, read_text(row), row.getColumn(1).getDouble(), row.getColumn(2).getDouble(),
                parse_json(row.getColumn(3).getString(), "registry: settings of " + run_id)};
      },
      run_id);
}

std::vector<ArtifactRecord> Registry::artifacts(const std::string& run_id) const {
  return impl_->rows(
      "SELECT path, bytes, sha256 FROM artifacts WHERE run_id = ? ORDER BY path",
      [&](SQLite::Statement& row) -> ArtifactRecord {
        return {run_id, read_text(row), row.getColumn(1).getInt64(), row.getColumn(2).getString()};
      },
      run_id);
}

namespace {

constexpr const char* kSelectMetrics =
    "SELECT step, epoch, loss, learning_rate, time FROM metrics WHERE run_id = ? ";

MetricRecord read_metric(SQLite::Statement& row) {
  return {row.getColumn(0).getInt64(), row.getColumn(1).getDouble(), row.getColumn(2).getDouble(),
          row.getColumn(3).getDouble(), row.getColumn(4).getDouble()};
}

}  // namespace

std::vector<MetricRecord> Registry::metrics(const std::string& run_id) const {
  return impl_->rows(std::string(kSelectMetrics) + "ORDER BY step", read_metric, run_id);
}

std::optional<MetricRecord> Registry::last_metric(const std::string& run_id) const {
  return impl_->first(std::string(kSelectMetrics) + "ORDER BY step DESC LIMIT 1", read_metric, run_id);
}

}  // namespace expctl
