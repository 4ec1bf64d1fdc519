#include "cli/output_file.h"

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("output_file: what a command has made it makes anew, nothing else", "[cli]") {
  const TempDir dir;
  const auto file = dir / "report.md";
  write_output(file, "# one\nmade by expctl 1\n", " by expctl ");
  write_output(file, "# two\nmade by expctl 1\n", " by expctl ");
  CHECK(read_file(file) == "# two\nmade by expctl 1\n");
  write_file(file, "");
  write_output(file, "# three\nmade by expctl 1\n", " by expctl ");
  write_file(file, "my notes\n");
  CHECK_THROWS_WITH(write_output(file, "# four\nmade by expctl 1\n", " by expctl "),
                    file.string() + " is there already, and this command has not made it");
  CHECK(read_file(file) == "my notes\n");
}
