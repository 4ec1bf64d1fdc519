#include "core/threads.h"

#include <atomic>
#include <stdexcept>

#include "core/tiles.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("threads: each tile is done once, by threads that are there", "[core]") {
  for (const int64_t threads : {3, 1, 2}) {
    set_thread_count(threads);
    REQUIRE(thread_count() == threads);
    for (const int64_t tiles : {0, 1, 50}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(tiles));
      std::atomic<int64_t> highest{0};
      for_each_tile(tiles, [&](int64_t tile, int64_t thread) {
        ++done[static_cast<size_t>(tile)];
        if (thread > highest) highest = thread;
      });
      for (const auto& count : done) CHECK(count == 1);
      CHECK(highest < threads);
    }
  }
  set_thread_count(1);
}

TEST_CASE("threads: ranges cover what there is", "[core]") {
  std::vector<int> covered(10);
  for_each_range(10, 4, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) ++covered[static_cast<size_t>(i)];
  });
  CHECK(covered == std::vector<int>(10, 1));
}

TEST_CASE("threads: what the first of the tiles throws arrives", "[core]") {
  set_thread_count(2);
  for (int round = 0; round < 100; ++round) {
    CHECK_THROWS_WITH(for_each_tile(8,
                                    [](int64_t tile, int64_t) {
                                      if (tile >= 3) throw std::runtime_error("tile " + std::to_string(tile));
                                    }),
                      "tile 3");
  }
  int64_t sum = 0;
  for_each_tile(1, [&](int64_t, int64_t) { ++sum; });
  CHECK(sum == 1);
  set_thread_count(1);
}
