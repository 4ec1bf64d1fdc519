// What may go, and its going.
#include <algorithm>

#include "core/text.h"
#include "registry/impl.h"

namespace expctl {
namespace {

std::vector<std::string> ensembles_with(SQLite::Database& db, const std::string& run_id) {
  return rows_of(db,
                 "SELECT DISTINCT m.ensemble_id FROM ensemble_members m JOIN runs r ON r.id = m.ensemble_id "
                 "WHERE m.member_id = ? ORDER BY r.position",
                 read_text, run_id);
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
  if (const auto tag = first_of(db, "SELECT tag FROM tags WHERE run_id = ?", read_text, run_id))
    throw Error(fmt::format("{} is {}", run_id, *tag), fmt::format("expctl tag --remove {}", *tag));
}

}  // namespace

std::vector<std::string> Registry::sweeps_of(const std::string& run_id) const {
  return impl_->rows(
      "SELECT id FROM sweeps WHERE id IN (SELECT sweep_id FROM sweep_runs WHERE run_id = ?) "
      "ORDER BY created, id",
      read_text, run_id);
}

std::vector<std::string> Registry::ensembles_of(const std::string& run_id) const {
  return impl_->database.read([&](SQLite::Database& db) { return ensembles_with(db, run_id); });
}

void Registry::check_removable(const std::vector<std::string>& ids) const {
  impl_->database.read([&](SQLite::Database& db) {
    for (const auto& id : ids) check_free(db, id, ids);
  });
}

std::vector<std::string> Registry::checkpoints_in_use() const {
  return impl_->rows(
      "SELECT DISTINCT json_extract(spec, member.value) AS file FROM runs, "
      "json_each('[\"$.model.init.path\", \"$.data.teacher.path\"]') AS member WHERE "
      "state IN ('queued', 'running', 'stopped') AND file IS NOT NULL ORDER BY file",
      read_text);
}

void Registry::remove_run(const std::string& run_id, const std::function<void()>& before_commit) {
  impl_->database.write([&](SQLite::Database& db) {
    check_free(db, run_id, {});
    change(db, "DELETE FROM runs WHERE id = ?", run_id);
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
    change(db, "DELETE FROM artifacts WHERE run_id = ?1 AND substr(path, 1, length(?2)) = ?2", run_id,
           folder + "/");
    before_commit();
  });
}

}  // namespace expctl
