#include "core/run_paths.h"

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("the ids in a workspace come in order, of each kind by number", "[core]") {
  const TempDir dir;
  const WorkspacePaths workspace{dir.path()};
  for (const char* name : {"run10", "run9", "sweep1", "ens2", "run01", "other"}) make_folder(dir / name);
  CHECK(ids_in(workspace) ==
        std::vector<Id>{{IdKind::kRun, 9}, {IdKind::kRun, 10}, {IdKind::kEnsemble, 2}, {IdKind::kSweep, 1}});
  CHECK(ids_in({dir / "none"}).empty());
}
