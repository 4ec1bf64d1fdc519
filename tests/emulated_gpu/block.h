// A grid of threads as a GPU runs it, on one thread of the CPU: one block after the other, each thread of a
// block a fiber that gives way where it waits for others. Grids are run forwards or backwards, as it comes,
// so that a result that hangs on the order of threads or blocks differs from one call to the next.
#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstring>
#include <functional>

namespace emulated_gpu {

inline constexpr unsigned kLanes = 32;

/// kernel() by each thread of the grid. Ends the program, saying why, where threads wait for what never
/// comes.
void run_grid(dim3 grid, dim3 block, const std::function<void()>& kernel);

// ---- What follows is called by the threads of a kernel.

/// Who this thread is.
struct Where {
  uint3 thread, block;
  dim3 block_size, grid_size;
};
inline thread_local Where where;

/// Until every thread of the block that has not ended waits here.
void wait_for_block();

// ---- What the lanes of a warp give each other

/// A warp's last exchanges: so far may one lane be ahead of another, which saves most of the changes from one
/// fiber to the next.
inline constexpr unsigned kRing = 32;
inline constexpr size_t kSlotBytes = 64;

struct Warp {
  std::byte slots[kRing][kLanes][kSlotBytes];
  unsigned given[kLanes];  ///< by each lane: exchanges
  unsigned by_all;         ///< so many at least
};
inline thread_local Warp* warp = nullptr;  ///< this thread's
inline thread_local unsigned lane = 0;     ///< likewise

/// Gives way until no lane may still take what this one gave kRing exchanges ago.
void wait_for_room();
/// Gives way until that lane has given what this one takes.
void wait_for_lane(unsigned exchange, unsigned of);

/// Gives `own` to the warp, and takes what other lanes give at the same exchange.
template <typename T>
class FromLanes {
 public:
  explicit FromLanes(const T& own) : exchange_(warp->given[lane]) {
    static_assert(sizeof(T) <= kSlotBytes);
    if (exchange_ + 1 >= kRing + warp->by_all) wait_for_room();
    std::memcpy(warp->slots[exchange_ % kRing][lane], &own, sizeof own);
    ++warp->given[lane];
  }

  T operator[](unsigned of) const {
    if (warp->given[of] <= exchange_) wait_for_lane(exchange_, of);
    T value;
    std::memcpy(&value, warp->slots[exchange_ % kRing][of], sizeof value);
    return value;
  }

 private:
  unsigned exchange_;
};

/// A copy of 16 bytes (of zeros where `from` is null), which is made when it is waited for and no sooner.
void begin_copy(void* to, const void* from);
void end_group_of_copies();
/// Makes all copies but those of the last `pending` groups.
void finish_copies(size_t pending);

}  // namespace emulated_gpu
