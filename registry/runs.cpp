// Sweeps, runs and ensembles: adding and finding them.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/run_paths.h"
#include "core/text.h"
#include "registry/impl.h"

namespace expctl {
namespace {

/// Takes the ids of the workspace's folders as given.
void raise_counters(SQLite::Database& database, const WorkspacePaths& workspace) {
  std::map<IdKind, int64_t> highest;
  for (const Id id : ids_in(workspace)) highest[id.kind] = id.number;  // in order
  for (const auto& [kind, number] : highest) {
    change(database, "UPDATE id_counters SET highest = max(highest, ?) WHERE kind = ?", number,
           std::string(prefix_of(kind)));
  }
}

std::string new_id(SQLite::Database& database, IdKind kind) {
  // A statement that returns rows has to be stepped to its end before the transaction can commit.
  const auto highest =
      rows_of(database, "UPDATE id_counters SET highest = highest + 1 WHERE kind = ? RETURNING highest",
              read_integer, std::string(prefix_of(kind)));
  return to_string(Id{kind, static_cast<long>(highest.at(0))});
}

constexpr const char* kSelectSweeps = "SELECT id, name, file, created, content_sha256 FROM sweeps ";

SweepRecord read_sweep_row(SQLite::Statement& row) {
  return {row.getColumn(0).getString(), row.getColumn(1).getString(), row.getColumn(2).getString(),
          row.getColumn(3).getDouble(), row.getColumn(4).getString()};
}

std::optional<RunRecord> find_identity(SQLite::Database& database, const std::string& config_hash,
                                       int64_t seed) {
  return first_of(database,
                  std::string(kSelectRuns) + "WHERE r.config_hash = ? AND r.seed = ? AND r.kind = 'run'",
                  read_run, config_hash, seed);
}

/// A run of a spec before anything has happened to it.
RunRecord new_run(const std::string& id, const RunSpec& spec, double now_s) {
  RunRecord run;
  run.id = id;
  run.name = spec.name;
  run.config_hash = config_hash(spec);
  run.seed = spec.train.seed;
  run.params = spec.params;
  run.spec = to_json(spec);
  run.created = now_s;
  return run;
}

/// An entry that is there only once it has succeeded, with its results.
void insert_made(SQLite::Database& database, RunRecord run, std::optional<EvaluationRecord> evaluation,
                 const std::vector<ArtifactRecord>& artifacts) {
  run.state = RunState::kSucceeded;
  run.started = run.ended = run.created;
  insert_run(database, run);
  if (evaluation) {
    evaluation->run_id = run.id;
    insert_evaluation(database, *evaluation);
  }
  replace_artifacts(database, run.id, artifacts);
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
  const auto newest =
      kind == IdKind::kSweep
          ? first_of(database, "SELECT id FROM sweeps ORDER BY rowid DESC LIMIT 1", read_text)
          : first_of(database, "SELECT id FROM runs WHERE kind = ? ORDER BY position DESC LIMIT 1", read_text,
                     std::string(prefix_of(kind)));
  return newest.value_or("");
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
  return first_of(database, std::string(kSelectRuns) + "WHERE r.id = ?", read_run, run_id);
}

void insert_run(SQLite::Database& database, const RunRecord& run) {
  change(database,
         "INSERT INTO runs (position, id, kind, sweep_id, name, state, reason, message, config_hash, seed, "
         "params, spec, attempts, retries_used, created, started, ended) "
         "VALUES (nullif(?, 0), ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
         run.position, run.id, std::string(prefix_of(parse_id(run.id).value().kind)), run.sweep_id, run.name,
         std::string(name_of(run.state)), std::string(name_of(run.reason)), run.message, run.config_hash,
         run.seed, json_line(run.params), json_line(run.spec), run.attempts, run.retries_used, run.created,
         run.started, run.ended);
  for (const auto& tag : run.tags)
    change(database, "INSERT INTO tags (tag, run_id) VALUES (?, ?)", tag, run.id);
}

void insert_sweep(SQLite::Database& database, const SweepRecord& sweep) {
  change(database, "INSERT INTO sweeps (id, name, file, created, content_sha256) VALUES (?, ?, ?, ?, ?)",
         sweep.id, sweep.name, sweep.file, sweep.created, sweep.content_sha256);
}

void insert_members(SQLite::Database& database, const std::string& ensemble_id,
                    const std::vector<std::string>& members) {
  for (size_t i = 0; i < members.size(); ++i) {
    change(database, "INSERT INTO ensemble_members (ensemble_id, place, member_id) VALUES (?, ?, ?)",
           ensemble_id, static_cast<int64_t>(i), members[i]);
  }
}

SweepRecord Registry::add_sweep(const std::string& name, const std::string& file,
                                const std::string& content_sha256, double now_s) {
  SweepRecord sweep{"", name, file, now_s, content_sha256};
  impl_->database.write([&](SQLite::Database& db) {
    const auto known = first_of(db, std::string(kSelectSweeps) + "WHERE file = ? AND content_sha256 = ?",
                                read_sweep_row, file, content_sha256);
    if (known) {
      sweep = *known;
      return;
    }
    raise_counters(db, impl_->workspace);
    sweep.id = new_id(db, IdKind::kSweep);
    insert_sweep(db, sweep);
  });
  return sweep;
}

std::optional<SweepRecord> Registry::find_sweep(const std::string& id) const {
  return impl_->first(std::string(kSelectSweeps) + "WHERE id = ?", read_sweep_row, id);
}

std::vector<SweepRecord> Registry::list_sweeps() const {
  return impl_->rows(std::string(kSelectSweeps) + "ORDER BY rowid", read_sweep_row);
}

std::map<IdKind, int64_t> Registry::highest_ids() const {
  std::map<IdKind, int64_t> highest;
  for (const IdKind kind : {IdKind::kRun, IdKind::kEnsemble, IdKind::kSweep}) {
    const auto number = impl_->first("SELECT highest FROM id_counters WHERE kind = ?", read_integer,
                                     std::string(prefix_of(kind)));
    if (number) highest[kind] = *number;
  }
  return highest;
}

std::vector<AddedRun> Registry::add_runs(const std::string& sweep_id, const std::vector<RunSpec>& specs,
                                         double now_s) {
  std::vector<AddedRun> runs;
  if (specs.empty()) return runs;
  impl_->database.write([&](SQLite::Database& db) {
    raise_counters(db, impl_->workspace);
    for (const auto& spec : specs) {
      auto run = find_identity(db, config_hash(spec), spec.train.seed);
      if (!run) {
        run = new_run(new_id(db, IdKind::kRun), spec, now_s);
        run->sweep_id = sweep_id;
        insert_run(db, *run);
      }
      change(db, "INSERT OR IGNORE INTO sweep_runs (sweep_id, run_id) VALUES (?, ?)", sweep_id, run->id);
      runs.push_back({run->id, run->sweep_id});
    }
  });
  return runs;
}

RunRecord Registry::add_ensemble(const NewEnsemble& ensemble, double now_s,
                                 const std::function<void(const std::string&)>& place_files) {
  RunRecord run;
  run.name = ensemble.name;
  run.spec = ensemble.description;
  run.created = now_s;
  impl_->database.write([&](SQLite::Database& db) {
    raise_counters(db, impl_->workspace);
    run.id = new_id(db, IdKind::kEnsemble);
    insert_made(db, run, ensemble.evaluation, ensemble.artifacts);
    insert_members(db, run.id, ensemble.members);
    place_files(run.id);
  });
  return find_run(run.id).value();
}

RunRecord Registry::add_import(const NewImport& entry, double now_s,
                               const std::function<void(const RunRecord&)>& place_files) {
  std::optional<RunRecord> run;
  impl_->database.write([&](SQLite::Database& db) {
    run = find_identity(db, config_hash(entry.spec), entry.spec.train.seed);
    if (run) return;
    raise_counters(db, impl_->workspace);
    const std::string id = new_id(db, IdKind::kRun);
    insert_made(db, new_run(id, entry.spec, now_s), entry.evaluation, entry.artifacts);
    run = select_run(db, id);
    place_files(*run);
  });
  return *run;
}

std::optional<RunRecord> Registry::find_run(const std::string& id) const {
  return impl_->database.read([&](SQLite::Database& db) { return select_run(db, id); });
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
    const auto found =
        place ? first_of(db, "SELECT id FROM runs WHERE kind = 'run' ORDER BY position DESC LIMIT 1 OFFSET ?",
                         read_text, static_cast<int64_t>(*place - 1))
              : first_of(db, "SELECT run_id FROM tags WHERE tag = ?", read_text, word);
    if (found) {
      id = *found;
      return;
    }
    known = rows_of(db, "SELECT tag FROM tags", read_text);
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

std::vector<RunRecord> Registry::resolve_runs(const std::vector<std::string>& words,
                                              const std::function<bool(const RunRecord&)>& is_wanted) const {
  std::vector<RunRecord> runs;
  std::set<std::string> known;
  const auto add = [&](RunRecord&& run) {
    if (known.insert(run.id).second) runs.push_back(std::move(run));
  };
  for (const auto& word : words) {
    if (!find_sweep(word)) {
      add(resolve_run(word));
      continue;
    }
    RunFilter filter;
    filter.sweep_id = word;
    for_each_run(filter, [&](RunRecord&& run) {
      if (!is_wanted || is_wanted(run)) add(std::move(run));
    });
  }
  return runs;
}

std::optional<RunRecord> Registry::find_run_by_identity(const std::string& config_hash, int64_t seed) const {
  return impl_->database.read([&](SQLite::Database& db) { return find_identity(db, config_hash, seed); });
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
  const auto read_queued = [](SQLite::Statement& row) -> QueuedRecord {
    const std::string id = read_text(row), source = "registry: resources of " + id;
    return {id,
            {resource_spec_from_json(parse_json(row.getColumn(1).getString(), source), source),
             row.getColumn(2).getInt() > 0},
            row.getColumn(3).getString()};
  };
  return impl_->rows(
      "SELECT id, json_extract(spec, '$.resources'), json_array_length(spec, '$.command.argv'), "
      "coalesce(json_extract(spec, '$.executor.kind'), 'local') FROM runs "
      "WHERE state = 'queued' AND kind = 'run' ORDER BY position",
      read_queued);
}

int64_t Registry::open_runs(const std::string& sweep_id) const {
  const auto count = impl_->first(
      "SELECT count(*) FROM sweep_runs s JOIN runs r ON r.id = s.run_id "
      "WHERE s.sweep_id = ? AND r.state IN ('queued', 'running')",
      read_integer, sweep_id);
  return count.value();
}

bool Registry::changed_elsewhere() {
  const int64_t version = impl_->version();
  return std::exchange(impl_->version_seen, version) != version;
}

std::vector<std::string> Registry::ensemble_members(const std::string& id) const {
  return impl_->rows("SELECT member_id FROM ensemble_members WHERE ensemble_id = ? ORDER BY place", read_text,
                     id);
}

}  // namespace expctl
