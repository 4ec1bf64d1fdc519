#include "registry/journal.h"

#include <fmt/core.h>

#include "core/error.h"
#include "registry/database.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("registry: a file system of the network gets a rollback journal, a local one the log",
          "[registry]") {
  const std::pair<uint32_t, const char*> network[] = {
      {0x6969, "NFS"},        {0x517b, "SMB"},        {0xff534d42, "CIFS"},
      {0xfe534d42, "SMB2"},   {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},
      {0x19830326, "BeeGFS"}, {0x65735546, "FUSE"},   {0x01021997, "9p"}};
  for (const auto& [magic, name] : network) {
    INFO(name);
    CHECK(file_system_of(magic).journal == JournalMode::kTruncate);
    CHECK(file_system_of(magic).name == name);
  }
  for (const uint32_t magic : {0xef53u, 0x58465342u, 0x9123683eu, 0x01021994u, 0x794c7630u})
    CHECK(file_system_of(magic).journal == JournalMode::kWal);
  CHECK(file_system_of(0xef53).name == "ext4");
  CHECK(file_system_of(0x12345678).name == "0x12345678");
  CHECK(file_system_of(0x12345678).journal == JournalMode::kWal);
}

TEST_CASE("registry: the file system of what is not there yet is that of the folder above it", "[registry]") {
  const TempDir dir;
  CHECK(file_system_at(dir / "none/registry.db").name == file_system_at(dir.path()).name);
}

TEST_CASE("registry: with a rollback journal it is one file, and goes back to the log", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  const auto mode = [](const Database& database) {
    std::string name;
    database.read([&](SQLite::Database& db) { name = db.execAndGet("PRAGMA journal_mode").getString(); });
    return name;
  };
  for (const auto journal : {JournalMode::kWal, JournalMode::kTruncate, JournalMode::kWal}) {
    Database database(path, Access::kCreate, journal);
    CHECK(mode(database) == name_of(journal));
    database.write([](SQLite::Database& db) { db.exec("UPDATE id_counters SET highest = highest + 1"); });
    CHECK(std::filesystem::exists(dir / "registry.db-wal") == (journal == JournalMode::kWal));
    Database other(path, Access::kWrite, journal);
    int64_t highest = 0;
    other.read(
        [&](SQLite::Database& db) { highest = db.execAndGet("SELECT max(highest) FROM id_counters"); });
    CHECK(highest > 0);
  }
}
