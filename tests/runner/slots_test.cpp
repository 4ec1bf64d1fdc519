#include "runner/slots.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;

namespace {

RunSpec run_with(int64_t cpus, bool command) {
  RunSpec spec;
  spec.resources.cpus = cpus;
  if (command) spec.command.argv = {"true"};
  return spec;
}

}  // namespace

TEST_CASE("a native run takes every core, a command one, cpus = N that many", "[runner]") {
  SlotPool pool({4, 5, 6, 7});
  {
    const auto all = pool.take(run_with(0, false));
    REQUIRE(all);
    CHECK(all->devices().threads == 4);
    CHECK(all->devices().cpu_ids.empty());
    CHECK_FALSE(pool.take(run_with(0, true)));
  }
  const auto one = pool.take(run_with(0, true));
  REQUIRE(one);
  CHECK(one->devices().threads == 1);
  CHECK(one->devices().cpu_ids == std::vector<int>{4});
  const auto two = pool.take(run_with(2, false));
  REQUIRE(two);
  CHECK(two->devices().cpu_ids == std::vector<int>{5, 6});
  CHECK_FALSE(pool.take(run_with(2, false)));
}

TEST_CASE("a slot gives its cores back once, also after it was moved", "[runner]") {
  SlotPool pool({0, 1});
  auto first = pool.take(run_with(1, true));
  REQUIRE(first);
  {
    std::vector<Slot> kept;
    kept.push_back(std::move(*first));
    first.reset();
    CHECK_FALSE(pool.take(run_with(2, true)));
  }
  CHECK(pool.take(run_with(2, true)));
}

TEST_CASE("what a machine can never give is refused", "[runner]") {
  const SlotPool pool({0, 1});
  CHECK_NOTHROW(pool.check(run_with(2, true)));
  CHECK_THROWS_WITH(pool.check(run_with(3, true)), Catch::Contains("2 cores"));
  RunSpec gpu = run_with(0, false);
  gpu.resources.gpus = 1;
  CHECK_THROWS_WITH(pool.check(gpu), Catch::Contains("no GPU was found"));
  CHECK_THROWS_AS(SlotPool({}), Error);
}
