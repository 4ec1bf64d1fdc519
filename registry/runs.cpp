// Sweeps, runs and ensembles: adding and finding them.
#include <algorithm>
#include <map>
#include <utility>

#include "core/text.h"
#include "registry/impl.h"

namespace expctl {
namespace {

/// Takes the ids of the workspace's folders as given.
void raise_counters(SQLite::Database& database, const std::filesystem::path& workspace) {
  std::map<IdKind, int64_t> highest;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(workspace, unreadable)) {
    if (const auto id = parse_id(entry.path().filename().string()))
      highest[id->kind] = std::max<int64_t>(highest[id->kind], id->number);
  }
  SQLite::Statement raise(database, "UPDATE id_counters SET highest = max(highest, ?) WHERE kind = ?");
  for (const auto& [kind, number] : highest) {
    SQLite::bind(raise, number, std::string(prefix_of(kind)));
    raise.exec();
    raise.reset();
  }
}

/// The first of `count` new numbers of a kind.
int64_t allot(SQLite::Database& database, IdKind kind, int64_t count) {
  SQLite::Statement update(database,
                           "UPDATE id_counters SET highest = highest + ? WHERE kind = ? RETURNING highest");
  update.bind(1, count);
  update.bind(2, std::string(prefix_of(kind)));
  update.executeStep();
  const int64_t highest = update.getColumn(0).getInt64();
  // A statement that returns rows has to be stepped to its end before the transaction can commit.
  while (update.executeStep()) {
  }
  return highest - count + 1;
}

constexpr const char* kSelectSweeps = "SELECT id, name, file, created, content_sha256 FROM sweeps ";

SweepRecord read_sweep_row(SQLite::Statement& row) {
  return {row.getColumn(0).getString(), row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getDouble(), row.getColumn(4).getString()};
}

std::optional<RunRecord> find_identity(SQLite::Database& database, const std::string& config_hash,
                                       int64_t seed) {
  SQLite::Statement query(
      database, std::string(kSelectRuns) + "WHERE r.config_hash = ? AND r.seed = ? AND r.kind = 'run'");
  SQLite::bind(query, config_hash, seed);
  return query.executeStep() ? std::optional(read_run(query)) : std::nullopt;
}

void add_to_sweep(SQLite::Database& database, const std::string& sweep_id, const std::string& run_id) {
  SQLite::Statement insert(database, "INSERT OR IGNORE INTO sweep_runs (sweep_id, run_id) VALUES (?, ?)");
  SQLite::bind(insert, sweep_id, run_id);
  insert.exec();
}

/// "@" is 1, "@2" is 2; nothing for any other word.
std::optional<size_t> newest_place(const std::string& word) {
  if (word.empty() || word[0] != '@') return std::nullopt;
  if (word.size() == 1) return 1;
  const auto place = parse_number<size_t>(std::string_view(word).substr(1));
  return place > 0 ? place : std::nullopt;
}

const char* name_of_kind(IdKind kind) {
  return kind == IdKind::kSweep ? "sweep" : kind == IdKind::kEnsemble ? "ensemble" : "run";
}

/// The newest of what `word` looks like, of a run where it looks like nothing; "" where there is none. Ids
/// are not guessed: a near one is another run.
std::string newest_like(SQLite::Database& database, const std::string& word) {
  const auto wanted = parse_id(word);
  const IdKind kind = wanted ? wanted->kind : IdKind::kRun;
  SQLite::Statement query(
      database, kind == IdKind::kSweep ? "SELECT id FROM sweeps ORDER BY rowid DESC LIMIT 1"
                                       : "SELECT id FROM runs WHERE kind = ? ORDER BY position DESC LIMIT 1");
  if (kind != IdKind::kSweep) query.bind(1, std::string(prefix_of(kind)));
  return query.executeStep() ? query.getColumn(0).getString() : "";
}

}  // namespace

bool RunRecord::is_ensemble() const {
  const auto parsed = parse_id(id);
  return parsed && parsed->kind == IdKind::kEnsemble;
}

RunRecord read_run(SQLite::Statement& row) {
  int column = 0;
  const auto text = [&] { return row.getColumn(column++).getString(); };
  const auto real = [&] { return row.getColumn(column++).getDouble(); };
  const auto optional_real = [&]() -> std::optional<double> {
    const auto value = row.getColumn(column++);
    return value.isNull() ? std::nullopt : std::optional(value.getDouble());
  };
  RunRecord run;
  run.id = text();
  run.sweep_id = text();
  run.name = text();
  run.state = run_state_from(text()).value();
  run.reason = fail_reason_from(text()).value();
  run.message = text();
  run.config_hash = text();
  run.seed = row.getColumn(column++).getInt64();
  run.params = parse_json(text(), "registry: params of " + run.id);
  run.spec = parse_json(text(), "registry: spec of " + run.id);
  run.attempts = row.getColumn(column++).getInt();
  run.retries_used = row.getColumn(column++).getInt();
  run.created = real();
  run.started = real();
  run.ended = real();
  run.f1 = optional_real();
  run.exact_match = optional_real();
  run.tags = parse_json(text(), "registry: tags of " + run.id).get<std::vector<std::string>>();
  run.position = row.getColumn(column++).getInt64();
  return run;
}

std::optional<RunRecord> select_run(SQLite::Database& database, const std::string& run_id) {
  SQLite::Statement query(database, std::string(kSelectRuns) + "WHERE r.id = ?");
  query.bind(1, run_id);
  return query.executeStep() ? std::optional(read_run(query)) : std::nullopt;
}

SweepRecord Registry::add_sweep(const std::string& name, const std::string& file,
                                const std::string& content_sha256, double now) {
  SweepRecord sweep{"", name, file, now, content_sha256};
  impl_->database.write([&](SQLite::Database& db) {
    SQLite::Statement known(db, std::string(kSelectSweeps) + "WHERE file = ? AND content_sha256 = ?");
    SQLite::bind(known, file, content_sha256);
    if (known.executeStep()) {
      sweep = read_sweep_row(known);
      return;
    }
    raise_counters(db, impl_->workspace);
    sweep.id = to_string(Id{IdKind::kSweep, static_cast<long>(allot(db, IdKind::kSweep, 1))});
    SQLite::Statement insert(
        db, "INSERT INTO sweeps (id, name, file, content_sha256, created) VALUES (?, ?, ?, ?, ?)");
    SQLite::bind(insert, sweep.id, name, file, content_sha256, now);
    insert.exec();
  });
  return sweep;
}

std::optional<SweepRecord> Registry::find_sweep(const std::string& id) const {
  std::optional<SweepRecord> found;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db, std::string(kSelectSweeps) + "WHERE id = ?");
    query.bind(1, id);
    if (query.executeStep()) found = read_sweep_row(query);
  });
  return found;
}

std::vector<SweepRecord> Registry::list_sweeps() const {
  std::vector<SweepRecord> sweeps;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db, std::string(kSelectSweeps) + "ORDER BY rowid");
    while (query.executeStep()) sweeps.push_back(read_sweep_row(query));
  });
  return sweeps;
}

std::map<IdKind, int64_t> Registry::highest_ids() const {
  std::map<IdKind, int64_t> highest;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db, "SELECT highest FROM id_counters WHERE kind = ?");
    for (const IdKind kind : {IdKind::kRun, IdKind::kEnsemble, IdKind::kSweep}) {
      query.bind(1, std::string(prefix_of(kind)));
      if (query.executeStep()) highest[kind] = query.getColumn(0).getInt64();
      query.reset();
    }
  });
  return highest;
}

std::vector<AddedRun> Registry::add_runs(const std::string& sweep_id, const std::vector<RunSpec>& specs,
                                         double now) {
  std::vector<AddedRun> runs;
  if (specs.empty()) return runs;
  impl_->database.write([&](SQLite::Database& db) {
    raise_counters(db, impl_->workspace);
    SQLite::Statement insert(
        db,
        "INSERT INTO runs (id, kind, sweep_id, name, state, config_hash, seed, params, spec, created) "
        "VALUES (?, 'run', ?, ?, 'queued', ?, ?, ?, ?, ?)");
    for (const auto& spec : specs) {
      if (auto known = find_identity(db, config_hash(spec), spec.train.seed)) {
        add_to_sweep(db, sweep_id, known->id);
        runs.push_back({known->id, known->sweep_id});
        continue;
      }
      const std::string id = to_string(Id{IdKind::kRun, static_cast<long>(allot(db, IdKind::kRun, 1))});
      SQLite::bind(insert, id, sweep_id, spec.name, config_hash(spec), spec.train.seed,
                   json_line(spec.params), json_line(to_json(spec)), now);
      insert.exec();
      insert.reset();
      add_to_sweep(db, sweep_id, id);
      runs.push_back({id, sweep_id});
    }
  });
  return runs;
}

RunRecord Registry::add_ensemble(const NewEnsemble& ensemble, double now,
                                 const std::function<void(const std::string&)>& place_files) {
  std::string id;
  impl_->database.write([&](SQLite::Database& db) {
    raise_counters(db, impl_->workspace);
    id = to_string(Id{IdKind::kEnsemble, static_cast<long>(allot(db, IdKind::kEnsemble, 1))});
    SQLite::Statement insert(db,
                             "INSERT INTO runs (id, kind, name, state, spec, created, started, ended) "
                             "VALUES (?, 'ens', ?, 'succeeded', ?, ?, ?, ?)");
    SQLite::bind(insert, id, ensemble.name, json_line(ensemble.description), now, now, now);
    insert.exec();
    SQLite::Statement member(db,
                             "INSERT INTO ensemble_members (ensemble_id, place, member_id) VALUES (?, ?, ?)");
    for (size_t i = 0; i < ensemble.members.size(); ++i) {
      SQLite::bind(member, id, static_cast<int64_t>(i), ensemble.members[i]);
      member.exec();
      member.reset();
    }
    if (ensemble.evaluation) {
      EvaluationRecord evaluation = *ensemble.evaluation;
      evaluation.run_id = id;
      insert_evaluation(db, evaluation);
    }
    replace_artifacts(db, id, ensemble.artifacts);
    place_files(id);
  });
  return find_run(id).value();
}

RunRecord Registry::add_import(const NewImport& entry, double now,
                               const std::function<void(const RunRecord&)>& place_files) {
  const std::string hash = config_hash(entry.spec);
  const int64_t seed = entry.spec.train.seed;
  std::optional<RunRecord> run;
  impl_->database.write([&](SQLite::Database& db) {
    run = find_identity(db, hash, seed);
    if (run) return;
    raise_counters(db, impl_->workspace);
    const std::string id = to_string(Id{IdKind::kRun, static_cast<long>(allot(db, IdKind::kRun, 1))});
    SQLite::Statement insert(
        db,
        "INSERT INTO runs (id, kind, name, state, config_hash, seed, params, spec, created, started, ended) "
        "VALUES (?, 'run', ?, 'succeeded', ?, ?, ?, ?, ?, ?, ?)");
    SQLite::bind(insert, id, entry.spec.name, hash, seed, json_line(entry.spec.params),
                 json_line(to_json(entry.spec)), now, now, now);
    insert.exec();
    if (entry.evaluation) {
      EvaluationRecord evaluation = *entry.evaluation;
      evaluation.run_id = id;
      insert_evaluation(db, evaluation);
    }
    replace_artifacts(db, id, entry.artifacts);
    run = select_run(db, id);
    place_files(*run);
  });
  return *run;
}

std::optional<RunRecord> Registry::find_run(const std::string& id) const {
  std::optional<RunRecord> found;
  impl_->database.read([&](SQLite::Database& db) { found = select_run(db, id); });
  return found;
}

std::optional<EntryRecord> Registry::find_entry(const std::string& id) const {
  auto run = find_run(id);
  if (!run) return std::nullopt;
  return EntryRecord{std::move(*run), attempts(id),         evaluations(id),
                     artifacts(id),   ensemble_members(id), submissions_of(id)};
}

RunRecord Registry::resolve_run(const std::string& word) const {
  if (const auto run = find_run(word)) return *run;
  std::string id, newest;
  std::vector<std::string> known;
  impl_->database.read([&](SQLite::Database& db) {
    const auto place = newest_place(word);
    SQLite::Statement query(
        db, place ? "SELECT id FROM runs WHERE kind = 'run' ORDER BY position DESC LIMIT 1 OFFSET ?"
                  : "SELECT run_id FROM tags WHERE tag = ?");
    if (place)
      query.bind(1, static_cast<int64_t>(*place - 1));
    else
      query.bind(1, word);
    if (query.executeStep()) id = query.getColumn(0).getString();
    if (!id.empty()) return;
    SQLite::Statement all(db, "SELECT tag FROM tags");
    while (all.executeStep()) known.push_back(all.getColumn(0).getString());
    newest = newest_like(db, word);
  });
  if (!id.empty()) return find_run(id).value();
  if (find_sweep(word))
    throw Error(fmt::format("{} is a sweep, not a run", word),
                fmt::format("expctl runs --where sweep={} lists its runs", word), ErrorCode::kNotFound);
  const auto wanted = parse_id(word);
  const std::string near = did_you_mean(word, known);
  throw Error(fmt::format("there is no {} '{}'{}", name_of_kind(wanted ? wanted->kind : IdKind::kRun), word,
                          !near.empty() || newest.empty() ? near : "; the newest is " + newest),
              "expctl runs list shows them", ErrorCode::kNotFound);
}

std::optional<RunRecord> Registry::find_run_by_identity(const std::string& config_hash, int64_t seed) const {
  std::optional<RunRecord> found;
  impl_->database.read([&](SQLite::Database& db) { found = find_identity(db, config_hash, seed); });
  return found;
}

void Registry::for_each_run(const RunFilter& filter, const std::function<void(RunRecord&&)>& look) const {
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(
        db, std::string(kSelectRuns) +
                "WHERE (?1 = '' OR r.id IN (SELECT run_id FROM sweep_runs WHERE sweep_id = ?1)) AND (?2 = '' "
                "OR r.state = ?2) "
                "AND ((r.kind = 'run' AND ?3) OR (r.kind = 'ens' AND ?4)) ORDER BY r.position");
    SQLite::bind(query, filter.sweep_id, filter.state ? std::string(name_of(*filter.state)) : std::string(),
                 filter.runs ? 1 : 0, filter.ensembles ? 1 : 0);
    while (query.executeStep()) look(read_run(query));
  });
}

std::vector<RunRecord> Registry::list_runs(const RunFilter& filter) const {
  std::vector<RunRecord> runs;
  for_each_run(filter, [&](RunRecord&& run) { runs.push_back(std::move(run)); });
  return runs;
}

std::vector<QueuedRecord> Registry::queued_runs() const {
  std::vector<QueuedRecord> runs;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db,
                            "SELECT id, json_extract(spec, '$.resources'), "
                            "json_array_length(spec, '$.command.argv'), "
                            "coalesce(json_extract(spec, '$.executor.kind'), 'local') FROM runs "
                            "WHERE state = 'queued' AND kind = 'run' ORDER BY position");
    while (query.executeStep()) {
      const std::string id = query.getColumn(0).getString(), source = "registry: resources of " + id;
      runs.push_back({id, resource_spec_from_json(parse_json(query.getColumn(1).getString(), source), source),
                      query.getColumn(2).getInt() > 0, query.getColumn(3).getString()});
    }
  });
  return runs;
}

int64_t Registry::open_runs(const std::string& sweep_id) const {
  int64_t count = 0;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db,
                            "SELECT count(*) FROM sweep_runs s JOIN runs r ON r.id = s.run_id "
                            "WHERE s.sweep_id = ? AND r.state IN ('queued', 'running')");
    query.bind(1, sweep_id);
    query.executeStep();
    count = query.getColumn(0).getInt64();
  });
  return count;
}

bool Registry::changed_elsewhere() {
  const int64_t version = impl_->version();
  return std::exchange(impl_->version_seen, version) != version;
}

std::vector<std::string> Registry::ensemble_members(const std::string& id) const {
  std::vector<std::string> members;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db,
                            "SELECT member_id FROM ensemble_members WHERE ensemble_id = ? ORDER BY place");
    query.bind(1, id);
    while (query.executeStep()) members.push_back(query.getColumn(0).getString());
  });
  return members;
}

}  // namespace expctl
