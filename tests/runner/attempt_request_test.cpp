#include "runner/attempt_request.h"

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("a new attempt removes the end and the results of the one before, not its state", "[runner]") {
  const TempDir folder;
  const RunPaths paths{folder.path()};
  make_folder(paths.state());
  for (const auto& file : {paths.outcome(), paths.claim(), paths.predictions(), paths.eval(), paths.log()})
    write_file(file, "old");
  WorkerRequest request;
  request.run_id = "run1";
  request.argv = {"/bin/echo", "two words"};
  write_attempt(request, paths);
  CHECK_FALSE(std::filesystem::exists(paths.outcome()));
  CHECK_FALSE(std::filesystem::exists(paths.claim()));
  CHECK_FALSE(std::filesystem::exists(paths.predictions()));
  CHECK_FALSE(std::filesystem::exists(paths.eval()));
  CHECK(std::filesystem::exists(paths.state()));
  CHECK(read_file(paths.log()) == "old");
  CHECK_THAT(read_file(paths.command()), Catch::Contains("/bin/echo 'two words'"));
}
