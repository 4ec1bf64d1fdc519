#include "core/draft_folder.h"

#include <chrono>

#include "core/files.h"
#include "core/machine.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("draft folder: it becomes the target, or is gone", "[core]") {
  const expctl::test::TempDir dir;
  {
    const DraftFolder draft(dir / "out");
    write_file(draft.path() / "x", "1");
  }
  CHECK(std::filesystem::is_empty(dir.path()));
  // What a program that was killed has left: no process has so great a number.
  std::filesystem::create_directory(dir / ".out.draft-99999999");
  {
    const DraftFolder draft(dir / "out");
    write_file(draft.path() / "x", "1");
    draft.become(dir / "out");
  }
  CHECK(read_file(dir / "out/x") == "1");
  CHECK_FALSE(std::filesystem::exists(dir / ".out.draft-99999999"));
  const DraftFolder again(dir / "out");
  CHECK_THROWS_WITH(again.become(dir / "out"), Catch::Contains("cannot make"));
}

TEST_CASE("draft folder: of another host it counts as filled for a day", "[core]") {
  const expctl::test::TempDir dir;
  const auto make = [&](const std::string& name, int hours_old) {
    std::filesystem::create_directory(dir / name);
    std::filesystem::last_write_time(
        dir / name, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours_old));
  };
  const std::string own = ".out.draft-" + host_name();
  make(own + "-99999999", 0);  // no process has so great a number
  make(own + "-1", 48);        // the first process always lives
  make(".out.draft-elsewhere-2-99999999", 23);
  make(".other.draft-elsewhere-2-1", 25);
  make("out.draft-nothing-99999999", 48);
  using Paths = std::vector<std::filesystem::path>;
  CHECK(dead_drafts(dir.path()) == Paths{dir / ".other.draft-elsewhere-2-1", dir / (own + "-99999999")});
  CHECK(dead_drafts(dir / "none").empty());
  const DraftFolder draft(dir / "out");
  CHECK(draft.path().filename().string().starts_with(own + "-"));
  CHECK(dead_drafts(dir.path()).size() == 2);  // one gone, and its own, which nobody asks for
  CHECK(std::filesystem::exists(dir / ".out.draft-elsewhere-2-99999999"));
  CHECK(std::filesystem::exists(dir / (own + "-1")));
  CHECK(std::filesystem::exists(dir / ".other.draft-elsewhere-2-1"));
}
