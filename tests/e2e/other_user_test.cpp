// A workspace that belongs to somebody else: it can be looked at.
#include "tests/support/other_user.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>

#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

ProgramResult nobody(const TempDir& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
  return run_as_nobody(words);
}

void check_can_look(const TempDir& folder) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"runs", "show", "run1"}, {"export"}, {"--json", "runs"}, {"logs", "run1"}}) {
    const ProgramResult seen = nobody(folder, words);
    INFO(words.back() << ": " << seen.err);
    CHECK(seen.exit_code == 0);
    CHECK_THAT(seen.out + seen.err, Catch::Contains("run1") || Catch::Contains("trained"));
  }
}

}  // namespace

TEST_CASE("another user's workspace can be looked at, also while a sweep is at work, and not be changed",
          "[e2e]") {
  SKIP_UNLESS(has_nobody(), "no other user that may run the program");
  const TempDir folder;
  let_others_read(folder.path());
  write_sweep(folder, R"("echo trained", "echo trained; sleep 3")");
  const pid_t sweeping = start_sweep(folder);
  check_can_look(folder);
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE_FALSE(fs::exists(folder / "runs/registry.db-wal"));
  check_can_look(folder);
  // As on a network file system, where there is no log.
  SQLite::Database((folder / "runs/registry.db").string(), SQLite::OPEN_READWRITE)
      .exec("PRAGMA journal_mode = TRUNCATE");
  check_can_look(folder);
  const ProgramResult refused = nobody(folder, {"tag", "run1", "best"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("registry.db: cannot be opened for writing") &&
                              Catch::Contains("hint: check the permissions of the workspace"));
}
