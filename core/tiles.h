// Work on all threads of the process, in tiles: which thread takes which tile changes nothing in the results,
// as long as tiles write to different places.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>

#include "core/threads.h"

namespace expctl {

/// f(tile, thread) for each tile, thread from 0 to thread_count() - 1; each takes the next tile when it is
/// done with one. Where tiles throw, throws what the first of them did, whatever the threads: tiles are taken
/// in order, so nothing that could stop a thread comes before it.
template <typename F>
void for_each_tile(int64_t count, const F& f) {
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  int64_t failed = count;
  std::exception_ptr failure;
  on_all_threads([&](int64_t thread) {
    int64_t tile = count;
    try {
      while ((tile = next.fetch_add(1, std::memory_order_relaxed)) < count) f(tile, thread);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (tile < failed) {
        failed = tile;
        failure = std::current_exception();
      }
    }
  });
  if (failure) std::rethrow_exception(failure);
}

/// f(begin, end, thread) for tiles of `size` elements, the last one perhaps smaller.
template <typename F>
void for_each_range(int64_t count, int64_t size, const F& f) {
  for_each_tile((count + size - 1) / size, [&](int64_t tile, int64_t thread) {
    f(tile * size, std::min(count, (tile + 1) * size), thread);
  });
}

}  // namespace expctl
