// Who is told to end, and how often: a supervisor that is told twice kills what it has.
#include "runner/local_executor.h"

#include <chrono>
#include <thread>

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

/// Attempts whose supervisors note each TERM in a file of their run's folder.
struct Attempts {
  TempDir folder;
  GpuPool no_gpus;
  LocalExecutor executor{no_gpus, folder / "supervisor", false};

  Attempts() {
    write_file(folder / "supervisor",
               "#!/bin/sh\ntrap 'echo TERM >> \"$2/told\"' TERM\necho > \"$2/ready\"\n"
               "while ! test -e \"$2/../end\"; do sleep 0.05; done\n");
    std::filesystem::permissions(folder / "supervisor", std::filesystem::perms::owner_all);
  }

  ~Attempts() {
    write_file(folder / "end", "");
    while (executor.size() > 0) {
      executor.collect(WorkspacePaths{folder.path()});
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  void start(const std::string& id, bool is_command) {
    const RunPaths paths{folder / id};
    make_folder(paths.folder);
    RunningAttempt attempt;
    attempt.run.id = id;
    if (is_command) attempt.spec.command.argv = {"true"};
    ResourceSpec one_core;
    one_core.gpus = 0;
    one_core.cpus = 1;
    auto slot = executor.slots().take({one_core, is_command});
    REQUIRE(slot);
    executor.start(std::move(attempt), std::move(*slot), paths, "token of " + id);
    wait_for([&] { return std::filesystem::exists(paths.folder / "ready"); });
  }

  template <typename Holds>
  void wait_for(const Holds& holds) const {
    for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(holds());
  }

  /// Waits until it has been told so often, and a little longer.
  void check_told(const std::string& id, size_t times) const {
    const auto told = [&] {
      const auto file = folder / id / "told";
      return std::filesystem::exists(file) ? read_file(file).size() / 5 : size_t{0};
    };
    wait_for([&] { return told() >= times; });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CHECK(told() == times);
  }
};

}  // namespace

TEST_CASE("local executor: trainings are told once, and an interrupt after that does not kill them",
          "[runner]") {
  SKIP_UNLESS(std::thread::hardware_concurrency() > 1, "it needs two cores");
  Attempts attempts;
  attempts.start("run1", false);
  attempts.start("run2", true);
  CHECK(attempts.executor.end_trainings());
  CHECK_FALSE(attempts.executor.end_trainings());
  attempts.check_told("run1", 1);
  attempts.check_told("run2", 0);
  attempts.executor.end_all();
  attempts.check_told("run2", 1);
  attempts.check_told("run1", 1);
  attempts.executor.end_all();
  attempts.check_told("run1", 2);
  attempts.check_told("run2", 2);
}
