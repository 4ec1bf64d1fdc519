#include "registry/database.h"

#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

constexpr uintmax_t kMebibyte = uintmax_t{1} << 20;

/// So many MiB in as many transactions.
void write_much(Database& database, int mebibytes) {
  for (int i = 0; i < mebibytes; ++i) {
    database.write([](SQLite::Database& db) {
      SQLite::Statement insert(
          db, "INSERT OR REPLACE INTO sweeps (id, name, file, created) VALUES ('s', ?, '', 1)");
      insert.bind(1, std::string(kMebibyte, 'x'));
      insert.exec();
    });
  }
}

}  // namespace

TEST_CASE("database: a reader that stays lets the log grow, not for longer than it stays", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  const auto log_size = [&] { return std::filesystem::file_size(path.string() + "-wal"); };
  Database database(path, Access::kCreate, JournalMode::kWal);
  SQLite::Database reader(path.string(), SQLite::OPEN_READONLY);
  reader.exec("BEGIN");
  CHECK(reader.execAndGet("SELECT count(*) FROM sweeps").getInt() == 0);
  write_much(database, 40);
  CHECK(log_size() > 40 * kMebibyte);
  CHECK(reader.execAndGet("SELECT count(*) FROM sweeps").getInt() == 0);  // still of its moment
  reader.exec("COMMIT");
  write_much(database, 20);
  CHECK(log_size() < 20 * kMebibyte);
}
