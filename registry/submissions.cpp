// Which entries lie in which submission.
#include <algorithm>

#include "registry/impl.h"

namespace expctl {

std::vector<SubmissionRecord> submissions_with(SQLite::Database& db, const std::string& run_id) {
  return rows_of(
      db, "SELECT folder, place, created FROM submission_entries WHERE run_id = ? ORDER BY folder",
      [](SQLite::Statement& row) -> SubmissionRecord {
        return {read_text(row), row.getColumn(1).getInt64(), row.getColumn(2).getDouble()};
      },
      run_id);
}

std::vector<SubmissionRecord> Registry::submissions_of(const std::string& run_id) const {
  return impl_->database.read([&](SQLite::Database& db) { return submissions_with(db, run_id); });
}

void insert_submission(SQLite::Database& db, const std::string& run_id, const SubmissionRecord& submission) {
  change(db, "INSERT INTO submission_entries (folder, place, run_id, created) VALUES (?, ?, ?, ?)",
         submission.folder, submission.place, run_id, submission.created);
}

std::vector<std::string> Registry::set_submission(
    const std::string& folder, const std::vector<std::string>& ids, double now_s,
    const std::function<void(const std::vector<std::string>&)>& before_commit) {
  std::vector<std::string> changed = ids;
  impl_->database.write([&](SQLite::Database& db) {
    for (const auto& id :
         rows_of(db, "SELECT run_id FROM submission_entries WHERE folder = ?", read_text, folder)) {
      if (std::find(changed.begin(), changed.end(), id) == changed.end()) changed.push_back(id);
    }
    change(db, "DELETE FROM submission_entries WHERE folder = ?", folder);
    for (size_t i = 0; i < ids.size(); ++i)
      insert_submission(db, ids[i], {folder, static_cast<int64_t>(i) + 1, now_s});
    before_commit(changed);
  });
  return changed;
}

}  // namespace expctl
