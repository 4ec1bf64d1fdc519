// Names that people give to runs.
#include "registry/impl.h"

namespace expctl {
namespace {

std::string owner_of(SQLite::Database& database, const std::string& tag) {
  SQLite::Statement query(database, "SELECT run_id FROM tags WHERE tag = ?");
  query.bind(1, tag);
  return query.executeStep() ? query.getColumn(0).getString() : "";
}

}  // namespace

std::string Registry::set_tag(const std::string& tag, const std::string& run_id,
                              const std::function<void(const std::string&)>& before_commit) {
  std::string before;
  impl_->database.write([&](SQLite::Database& db) {
    before = owner_of(db, tag);
    SQLite::Statement insert(db, "INSERT OR REPLACE INTO tags (tag, run_id) VALUES (?, ?)");
    SQLite::bind(insert, tag, run_id);
    insert.exec();
    before_commit(before);
  });
  return before;
}

std::string Registry::remove_tag(const std::string& tag,
                                 const std::function<void(const std::string&)>& before_commit) {
  std::string before;
  impl_->database.write([&](SQLite::Database& db) {
    before = owner_of(db, tag);
    if (before.empty()) return;
    SQLite::Statement remove(db, "DELETE FROM tags WHERE tag = ?");
    remove.bind(1, tag);
    remove.exec();
    before_commit(before);
  });
  return before;
}

}  // namespace expctl
