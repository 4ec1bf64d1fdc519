#include "runner/sweep_queue.h"

#include "registry/spec_of.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("an edited file: runs keep the rungs that they were added with, unless there are none now",
          "[runner]") {
  const TempDir dir;
  const WorkspacePaths workspace{dir.path()};
  Registry registry = Registry::open(workspace.registry());
  RunSpec spec;
  const auto enqueue_with = [&](const std::string& method, double min_fraction, int64_t reduction) {
    spec.early_stop = {method, min_fraction, reduction};
    auto entries = look_up({spec}, &registry);
    const auto sweep = registry.add_sweep("lr", "/lr.toml", std::to_string(min_fraction), 100);
    enqueue(entries, sweep.id, false, registry, workspace, 100);
    return spec_of(*registry.find_run(entries.front().run_id)).early_stop;
  };
  const EarlyStopSpec first = {"asha", 0.2, 3};
  CHECK(enqueue_with("asha", 0.2, 3) == first);
  CHECK(enqueue_with("asha", 0.1, 3) == first);
  CHECK(enqueue_with("asha", 0.2, 4) == first);
  CHECK_FALSE(enqueue_with("none", 0.2, 3).is_wanted());
  spec.train.seed = 7;  // another run
  CHECK(enqueue_with("asha", 0.1, 4) == EarlyStopSpec{"asha", 0.1, 4});
}

TEST_CASE("an edited file: queued runs that differ get its resources, those that do not are left",
          "[runner]") {
  const TempDir dir;
  const WorkspacePaths workspace{dir.path()};
  Registry registry = Registry::open(workspace.registry());
  std::vector<RunSpec> specs(3);
  for (size_t i = 0; i < specs.size(); ++i) specs[i].train.seed = static_cast<int64_t>(i) + 1;
  const auto enqueue_all = [&](const std::string& content) {
    auto entries = look_up(specs, &registry);
    enqueue(entries, registry.add_sweep("lr", "/lr.toml", content, 100).id, false, registry, workspace, 100);
  };
  enqueue_all("one");
  registry.apply_event("run3", RunEvent::kStopped);
  specs[1].resources.timeout_s = specs[2].resources.timeout_s = 60;
  enqueue_all("two");
  CHECK(spec_of(*registry.find_run("run1")).resources.timeout_s == 0);
  CHECK(spec_of(*registry.find_run("run2")).resources.timeout_s == 60);
  CHECK(spec_of(*registry.find_run("run3")).resources.timeout_s == 0);  // it is not queued
}
