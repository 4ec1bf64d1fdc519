#include "runner/slots.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

ResourceSpec cpus(int64_t count) {
  ResourceSpec resources;
  resources.cpus = count;
  return resources;
}

ResourceSpec gpus(int64_t count) {
  ResourceSpec resources;
  resources.gpus = count;
  return resources;
}

/// GPUs that are free.
GpuPool& looked_at(GpuPool& pool) {
  pool.look(0);
  return pool;
}

struct TwoGpus {
  TempDir folder;
  GpuPool pool{{{0, "GPU-a", "H100", "10", 1, false}, {1, "MIG-b", "H100", "20", 1, true}},
               [](const std::string&) { return std::optional<int64_t>(0); },
               folder / "locks"};
};

}  // namespace

TEST_CASE("a native run takes every core, a command one, cpus = N that many", "[runner]") {
  GpuPool none;
  SlotPool pool({4, 5, 6, 7}, none, false);
  {
    const auto all = pool.take({cpus(0), false});
    REQUIRE(all);
    CHECK(all->devices().threads == 4);
    CHECK(all->devices().cpu_ids.empty());
    CHECK_FALSE(pool.take({cpus(0), true}));
  }
  const auto one = pool.take({cpus(0), true});
  REQUIRE(one);
  CHECK(one->devices().threads == 1);
  CHECK(one->devices().cpu_ids == std::vector<int>{4});
  const auto two = pool.take({cpus(2), false});
  REQUIRE(two);
  CHECK(two->devices().cpu_ids == std::vector<int>{5, 6});
  CHECK_FALSE(pool.take({cpus(2), false}));
}

TEST_CASE("a run that wants as many GPUs as there are is waited for, one that wants more is not",
          "[runner]") {
  TwoGpus two;
  const SlotPool pool({0, 1, 2, 3}, looked_at(two.pool), true);
  CHECK(pool.is_worth_waiting({gpus(2), true}));
  CHECK_FALSE(pool.is_worth_waiting({gpus(3), true}));
}

TEST_CASE("a slot gives its cores back once, also after it was moved", "[runner]") {
  GpuPool none;
  SlotPool pool({0, 1}, none, false);
  auto first = pool.take({cpus(1), true});
  REQUIRE(first);
  {
    std::vector<Slot> kept;
    kept.push_back(std::move(*first));
    first.reset();
    CHECK_FALSE(pool.take({cpus(2), true}));
  }
  CHECK(pool.take({cpus(2), true}));
}

TEST_CASE("what a machine can never give is refused", "[runner]") {
  GpuPool none;
  SlotPool pool({0, 1}, none, false);
  CHECK_NOTHROW(pool.check({cpus(2), true}));
  CHECK_THROWS_WITH(pool.check({cpus(3), true}), Catch::Contains("2 cores"));
  CHECK_THROWS_WITH(pool.check({gpus(1), true}), Catch::Contains("no GPU was found"));
  CHECK_THROWS_WITH(pool.check({gpus(1), false}), Catch::Contains("no GPU was found"));
  CHECK_THROWS_AS(SlotPool({}, none, false), Error);
  TwoGpus two;
  const SlotPool with_gpus({0, 1}, two.pool, false);
  CHECK_NOTHROW(with_gpus.check({gpus(2), true}));
  CHECK_THROWS_WITH(with_gpus.check({gpus(3), true}), Catch::Contains("there are 2 GPUs"));
}

TEST_CASE("a command takes a GPU where there is one, and a share of the threads", "[runner]") {
  TwoGpus two;
  SlotPool pool({0, 1, 2, 3}, looked_at(two.pool), false);
  const auto first = pool.take({{}, true});
  REQUIRE(first);
  CHECK(first->devices().gpus == std::vector<std::string>{"GPU-a"});
  CHECK(first->devices().threads == 2);
  CHECK(first->devices().cpu_ids.empty());
  ResourceSpec numbered;
  numbered.visible_devices = "index";
  const auto second = pool.take({numbered, true});
  REQUIRE(second);
  CHECK(second->devices().gpus == std::vector<std::string>{"MIG-b"});  // no number names an instance
  CHECK_FALSE(pool.take({{}, true}));
  CHECK(pool.take({gpus(0), true})->devices().gpus.empty());
  CHECK(pool.take({{}, false})->devices().threads == 4);  // this expctl-train computes on the CPU
  CHECK_FALSE(pool.take({gpus(1), false}));
}

TEST_CASE("a native run takes a GPU where its worker can compute on it", "[runner]") {
  TwoGpus two;
  SlotPool pool({0, 1, 2, 3}, looked_at(two.pool), true);
  const auto slot = pool.take({{}, false});
  REQUIRE(slot);
  CHECK(slot->devices().gpus == std::vector<std::string>{"GPU-a"});
  CHECK(pool.take({gpus(0), false})->devices().threads == 4);
  GpuPool none;
  SlotPool without({0, 1}, none, true);
  CHECK(without.take({{}, false})->devices().gpus.empty());
}

TEST_CASE("how many runs compute side by side", "[runner]") {
  TwoGpus two;
  const SlotPool pool({0, 1, 2, 3, 4}, two.pool, false);
  CHECK(pool.side_by_side({{}, false}) == 1);
  CHECK(pool.side_by_side({cpus(2), false}) == 2);
  CHECK(pool.side_by_side({gpus(0), true}) == 5);
  CHECK(pool.side_by_side({gpus(1), true}) == 2);
  CHECK(pool.side_by_side({gpus(2), true}) == 1);
  ResourceSpec shared = gpus(1);
  shared.runs_per_gpu = 3;
  CHECK(pool.side_by_side({shared, true}) == 6);
  shared.cpus = 2;
  CHECK(pool.side_by_side({shared, true}) == 2);
}

TEST_CASE("a slot that lacks one thing holds nothing of another", "[runner]") {
  TwoGpus two;
  SlotPool pool({0, 1}, looked_at(two.pool), false);
  ResourceSpec both = gpus(2);
  both.cpus = 2;
  const auto one_core = pool.take({cpus(1), false});
  CHECK_FALSE(pool.take({both, true}));
  CHECK(pool.take({gpus(2), true}));
}
