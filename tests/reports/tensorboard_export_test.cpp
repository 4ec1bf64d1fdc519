#include "reports/tensorboard_export.h"

#include <sys/stat.h>

#include "tests/reports/workspace.h"
#include "tests/support/event_reader.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

RunExport small_run() {
  RunExport entry;
  entry.run.id = "run1";
  entry.run.created = 1000;
  entry.run.state = RunState::kRunning;
  entry.group.key = "sweep1";
  entry.identity = "0123456789abcdef0123456789abcdef";
  entry.parameters = {{"learning_rate", 3e-5}, {"note", "a|b\nc"}, {"deterministic", true}};
  entry.steps = {{"loss", 1, 1001, 2.5}, {"loss", 2, 1002, 2.0}};
  return entry;
}

fs::path event_file_in(const fs::path& folder) {
  return folder / "events.out.tfevents.0.expctl";
}

}  // namespace

TEST_CASE("tensorboard_export: curves, then scores, and parameters with what a table needs", "[reports]") {
  RunExport entry = small_run();
  entry.run.state = RunState::kSucceeded;
  entry.scores = {{"f1", 2, 1003, 88.61239393038588}};
  const std::string file = tensorboard_events(entry);
  const auto points = read_scalars(file);
  REQUIRE(points.size() == 3);
  CHECK(points[1].step == 2);
  CHECK(points[1].time == 1002);
  CHECK(points[2].tag == "f1");
  CHECK(points[2].value == 88.612394F);
  CHECK_THAT(file, Contains("| learning_rate | 3e-05 |\n") && Contains("| note | a\\|b c |\n") &&
                       Contains("| f1 | 88.61239393038588 |\n"));
}

TEST_CASE("tensorboard_export: a file of a run at work is the beginning of every later one", "[reports]") {
  const TempDir dir;
  RunExport entry = small_run();
  const fs::path file = event_file_in(write_tensorboard_run(entry, dir.path()));
  const std::string first = read_file(file);
  const auto inode = [&] {
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    return info.st_ino;
  };
  const auto before = inode();
  entry.steps.push_back({"loss", 3, 1003, 1.5});
  entry.run.state = RunState::kSucceeded;
  write_tensorboard_run(entry, dir.path());
  CHECK(inode() == before);
  CHECK(read_file(file).starts_with(first));
  CHECK(read_scalars(read_file(file)).size() == 3);
  // A run that was taken up from a checkpoint has lost steps: the file is made anew.
  entry.steps.erase(entry.steps.begin());
  write_tensorboard_run(entry, dir.path());
  CHECK(inode() != before);
  CHECK(read_file(file) == tensorboard_events(entry));
}

TEST_CASE("tensorboard_export: a file cut short by a crash is completed", "[reports]") {
  const TempDir dir;
  const RunExport entry = small_run();
  const fs::path file = event_file_in(write_tensorboard_run(entry, dir.path()));
  fs::resize_file(file, fs::file_size(file) - 5);
  write_tensorboard_run(entry, dir.path());
  CHECK(read_file(file) == tensorboard_events(entry));
}

TEST_CASE("tensorboard_export: what others have is left, and said", "[reports]") {
  const TempDir dir;
  RunExport entry = small_run();
  write_tensorboard_run(entry, dir.path());
  const std::string before = read_file(event_file_in(dir / "sweep1/run1"));
  entry.identity = std::string(32, 'f');
  CHECK_THROWS_WITH(write_tensorboard_run(entry, dir.path()), Contains("run1 of another workspace"));
  CHECK(read_file(event_file_in(dir / "sweep1/run1")) == before);
  entry.run.id = "run2";
  make_folder(dir / "sweep1/run2");
  write_file(dir / "sweep1/run2/mine", "x");
  CHECK_THROWS_WITH(write_tensorboard_run(entry, dir.path()), Contains("expctl has not written"));
}
