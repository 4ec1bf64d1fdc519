#include "runner/find_worker.h"

#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("find_worker: beside the program, then in libexec, then by EXPCTL_TRAIN", "[runner]") {
  const test::TempDir dir;
  make_folder(dir / "bin");
  make_folder(dir / "libexec" / "expctl");
  const auto self = dir / "bin" / "expctl";
  ::unsetenv("EXPCTL_TRAIN");
  CHECK_THROWS_WITH(find_worker(self),
                    Catch::Contains("bin/expctl-train") && Catch::Contains("libexec/expctl/expctl-train"));
  write_file(dir / "elsewhere", "");
  ::setenv("EXPCTL_TRAIN", (dir / "elsewhere").c_str(), 1);
  CHECK(find_worker(self) == dir / "elsewhere");
  write_file(dir / "libexec" / "expctl" / "expctl-train", "");
  CHECK(find_worker(self) == dir / "libexec" / "expctl" / "expctl-train");
  write_file(dir / "bin" / "expctl-train", "");
  CHECK(find_worker(self) == dir / "bin" / "expctl-train");
  ::unsetenv("EXPCTL_TRAIN");
}
