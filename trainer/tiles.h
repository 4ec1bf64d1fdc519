// Work on all threads of the process, in tiles: which thread takes which tile changes nothing in the results,
// as long as tiles write to different places.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "trainer/threads.h"

namespace expctl {

/// f(tile, thread) for each tile, thread from 0 to thread_count() - 1; each takes the next tile when it is
/// done with one.
template <typename F>
void for_each_tile(int64_t count, const F& f) {
  std::atomic<int64_t> next{0};
  on_all_threads([&](int64_t thread) {
    for (int64_t tile; (tile = next.fetch_add(1, std::memory_order_relaxed)) < count;) f(tile, thread);
  });
}

/// f(begin, end, thread) for tiles of `size` elements, the last one perhaps smaller.
template <typename F>
void for_each_range(int64_t count, int64_t size, const F& f) {
  for_each_tile((count + size - 1) / size, [&](int64_t tile, int64_t thread) {
    f(tile * size, std::min(count, (tile + 1) * size), thread);
  });
}

}  // namespace expctl
