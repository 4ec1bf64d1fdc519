// Names that people give to runs.
#include "registry/impl.h"

namespace expctl {
namespace {

std::string owner_of(SQLite::Database& database, const std::string& tag) {
  return first_of(database, "SELECT run_id FROM tags WHERE tag = ?", read_text, tag).value_or("");
}

}  // namespace

std::string Registry::set_tag(const std::string& tag, const std::string& run_id,
                              const std::function<void(const std::string&)>& before_commit) {
  std::string before;
  impl_->database.write([&](SQLite::Database& db) {
    before = owner_of(db, tag);
    change(db, "INSERT OR REPLACE INTO tags (tag, run_id) VALUES (?, ?)", tag, run_id);
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
    change(db, "DELETE FROM tags WHERE tag = ?", tag);
    before_commit(before);
  });
  return before;
}

}  // namespace expctl
