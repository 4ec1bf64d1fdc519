#include "reports/manifest.h"

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;
using expctl::test::TempDir;

TEST_CASE("manifest: every file below the folder but itself, sorted, with size and hash", "[reports]") {
  const TempDir dir;
  make_folder(dir / "b/c");
  write_file(dir / "b/c/x.txt", "hello");
  write_file(dir / "a.txt", "");
  write_file(dir / "manifest.json", "{}");
  write_file(dir / "b/manifest.json", "{}");
  const auto files = list_files(dir.path());
  REQUIRE(files.size() == 3);
  CHECK(files[0] == ManifestFile{"a.txt", 0, sha256("")});
  CHECK(files[1] == ManifestFile{"b/c/x.txt", 5, sha256("hello")});
  CHECK(files[2].path == "b/manifest.json");
  CHECK(files_from_json(files_json(files), "m") == files);
}

TEST_CASE("manifest: a link is refused, for it could point out of the submission", "[reports]") {
  const TempDir dir;
  std::filesystem::create_symlink("/etc/passwd", dir / "x");
  CHECK_THROWS_WITH(list_files(dir.path()), Contains("neither a file nor a folder"));
}

TEST_CASE("manifest: what is missing, changed or too much is named", "[reports]") {
  const std::vector<ManifestFile> expected = {{"a", 1, "h"}, {"b", 1, "h"}, {"c", 1, "h"}};
  CHECK(compare_files(expected, expected).empty());
  CHECK(compare_files(expected, {{"a", 1, "h"}, {"b", 1, "other"}, {"d", 1, "h"}}) ==
        std::vector<std::string>{"b has another content", "c is missing", "d is not in the manifest"});
}
