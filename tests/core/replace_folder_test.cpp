#include "core/replace_folder.h"

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

TEST_CASE("replace_folder: where nothing is, and where a folder with files is", "[core]") {
  const TempDir dir;
  make_folder(dir / "a");
  write_file(dir / "a/x", "1");
  replace_folder(dir / "a", dir / "target");
  CHECK(read_file(dir / "target/x") == "1");
  make_folder(dir / "b");
  write_file(dir / "b/y", "2");
  replace_folder(dir / "b", dir / "target");
  CHECK(read_file(dir / "target/y") == "2");
  CHECK_FALSE(fs::exists(dir / "target/x"));
  CHECK_THROWS_AS(replace_folder(dir / "nothing", dir / "target"), Error);
  CHECK(read_file(dir / "target/y") == "2");
}
