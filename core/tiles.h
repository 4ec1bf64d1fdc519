// Work on all threads of the process, in tiles: which thread takes which tile changes nothing in the results,
// as long as tiles write to different places.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>

#include "core/threads.h"

namespace expctl {

/// f(tile, thread) for each tile, thread from 0 to thread_count() - 1. Each thread has a share of neighbours,
/// the same one in every call with as many tiles, so that it finds in its cache what it wrote there; when it
/// is done with them it takes what the others have not begun. Where tiles throw, throws what the first of
/// them did, whatever the threads: those of a share are taken in order, so that whatever stops a thread, the
/// share with the first one is worked on up to it.
template <typename F>
void for_each_tile(int64_t count, const F& f) {
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };
  const auto threads = thread_count();
  const auto shares = std::make_unique<Share[]>(static_cast<size_t>(threads));
  for (int64_t i = 0; i < threads; ++i) {
    shares[static_cast<size_t>(i)].next = count * i / threads;
    shares[static_cast<size_t>(i)].end = count * (i + 1) / threads;
  }
  std::mutex mutex;
  int64_t failed = count;
  std::exception_ptr failure;
  on_all_threads([&](int64_t thread) {
    int64_t tile = count;
    try {
      for (int64_t i = 0; i < threads; ++i) {
        Share& share = shares[static_cast<size_t>((thread + i) % threads)];
        while ((tile = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end) f(tile, thread);
      }
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
