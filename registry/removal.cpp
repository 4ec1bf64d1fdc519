// Submissions on record, and what may go because it is in none.
#include <algorithm>

#include "core/text.h"
#include "registry/impl.h"

namespace expctl {
namespace {

std::vector<std::string> ensembles_with(SQLite::Database& db, const std::string& run_id) {
  std::vector<std::string> found;
  SQLite::Statement query(db,
                          "SELECT DISTINCT m.ensemble_id FROM ensemble_members m JOIN runs r ON r.id = "
                          "m.ensemble_id WHERE m.member_id = ? ORDER BY r.position");
  query.bind(1, run_id);
  while (query.executeStep()) found.push_back(query.getColumn(0).getString());
  return found;
}

std::vector<SubmissionRecord> submissions_with(SQLite::Database& db, const std::string& run_id) {
  std::vector<SubmissionRecord> found;
  SQLite::Statement query(
      db, "SELECT folder, place, created FROM submission_entries WHERE run_id = ? ORDER BY folder");
  query.bind(1, run_id);
  while (query.executeStep()) {
    found.push_back(
        {query.getColumn(0).getString(), query.getColumn(1).getInt64(), query.getColumn(2).getDouble()});
  }
  return found;
}

/// Throws Error naming why the entry must stay while `going` go.
void check_free(SQLite::Database& db, const std::string& run_id, const std::vector<std::string>& going) {
  const RunState state = state_of(db, run_id);
  if (!is_finished(state))
    throw Error(fmt::format("{} is {}", run_id, name_of(state)), fmt::format("expctl stop {}", run_id));
  auto ensembles = ensembles_with(db, run_id);
  std::erase_if(ensembles, [&](const auto& id) { return std::count(going.begin(), going.end(), id) > 0; });
  if (!ensembles.empty()) {
    throw Error(fmt::format("{} is a member of {}", run_id, join(ensembles, ", ")),
                fmt::format("expctl rm {} first", join(ensembles, " ")));
  }
  if (const auto submissions = submissions_with(db, run_id); !submissions.empty()) {
    throw Error(fmt::format("{} lies in the submission {}", run_id, submissions.front().folder),
                fmt::format("what was handed in stays on record; once that folder has been deleted: expctl "
                            "package --forget --out {}",
                            shell_quote(submissions.front().folder)));
  }
}

void check_no_tag(SQLite::Database& db, const std::string& run_id) {
  SQLite::Statement query(db, "SELECT tag FROM tags WHERE run_id = ?");
  query.bind(1, run_id);
  if (!query.executeStep()) return;
  const std::string tag = query.getColumn(0).getString();
  throw Error(fmt::format("{} is {}", run_id, tag), fmt::format("expctl tag --remove {}", tag));
}

}  // namespace

std::vector<std::string> Registry::sweeps_of(const std::string& run_id) const {
  std::vector<std::string> found;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db,
                            "SELECT id FROM sweeps WHERE id IN (SELECT sweep_id FROM sweep_runs WHERE run_id "
                            "= ?) ORDER BY created, id");
    query.bind(1, run_id);
    while (query.executeStep()) found.push_back(query.getColumn(0).getString());
  });
  return found;
}

std::vector<std::string> Registry::ensembles_of(const std::string& run_id) const {
  std::vector<std::string> found;
  impl_->database.read([&](SQLite::Database& db) { found = ensembles_with(db, run_id); });
  return found;
}

std::vector<SubmissionRecord> Registry::submissions_of(const std::string& run_id) const {
  std::vector<SubmissionRecord> found;
  impl_->database.read([&](SQLite::Database& db) { found = submissions_with(db, run_id); });
  return found;
}

void Registry::check_removable(const std::vector<std::string>& ids) const {
  impl_->database.read([&](SQLite::Database& db) {
    for (const auto& id : ids) check_free(db, id, ids);
  });
}

std::vector<std::string> Registry::checkpoints_in_use() const {
  std::vector<std::string> found;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db,
                            "SELECT DISTINCT json_extract(spec, member.value) AS file FROM runs, "
                            "json_each('[\"$.model.init.path\", \"$.data.teacher.path\"]') AS member WHERE "
                            "state IN ('queued', 'running', 'stopped') AND file IS NOT NULL ORDER BY file");
    while (query.executeStep()) found.push_back(query.getColumn(0).getString());
  });
  return found;
}

void insert_submission(SQLite::Database& db, const std::string& run_id, const SubmissionRecord& submission) {
  SQLite::Statement insert(
      db, "INSERT INTO submission_entries (folder, place, run_id, created) VALUES (?, ?, ?, ?)");
  SQLite::bind(insert, submission.folder, submission.place, run_id, submission.created);
  insert.exec();
}

std::vector<std::string> Registry::set_submission(
    const std::string& folder, const std::vector<std::string>& ids, double now,
    const std::function<void(const std::vector<std::string>&)>& before_commit) {
  std::vector<std::string> changed = ids;
  impl_->database.write([&](SQLite::Database& db) {
    SQLite::Statement old(db, "SELECT run_id FROM submission_entries WHERE folder = ?");
    old.bind(1, folder);
    while (old.executeStep()) {
      const std::string id = old.getColumn(0).getString();
      if (std::find(changed.begin(), changed.end(), id) == changed.end()) changed.push_back(id);
    }
    SQLite::Statement remove(db, "DELETE FROM submission_entries WHERE folder = ?");
    remove.bind(1, folder);
    remove.exec();
    for (size_t i = 0; i < ids.size(); ++i)
      insert_submission(db, ids[i], {folder, static_cast<int64_t>(i) + 1, now});
    before_commit(changed);
  });
  return changed;
}

void Registry::remove_run(const std::string& run_id, const std::function<void()>& before_commit) {
  impl_->database.write([&](SQLite::Database& db) {
    check_free(db, run_id, {});
    SQLite::Statement remove(db, "DELETE FROM runs WHERE id = ?");
    remove.bind(1, run_id);
    remove.exec();
    before_commit();
  });
}

void Registry::remove_artifacts(const std::string& run_id, const std::string& folder,
                                const std::function<void()>& before_commit) {
  impl_->database.write([&](SQLite::Database& db) {
    check_free(db, run_id, {});
    check_no_tag(db, run_id);
    if (state_of(db, run_id) == RunState::kStopped)
      throw Error(fmt::format("{} is stopped: it may go on", run_id), fmt::format("expctl rm {}", run_id));
    SQLite::Statement remove(db,
                             "DELETE FROM artifacts WHERE run_id = ?1 AND substr(path, 1, length(?2)) = ?2");
    SQLite::bind(remove, run_id, folder + "/");
    remove.exec();
    before_commit();
  });
}

}  // namespace expctl
