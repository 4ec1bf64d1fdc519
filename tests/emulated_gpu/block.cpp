#include "tests/emulated_gpu/block.h"

#include <algorithm>
#include <atomic>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace emulated_gpu {
namespace {

constexpr size_t kStackBytes = 128 << 10;

enum class State { kReady, kTakes, kGives, kAtBarrier, kEnded };

struct Copy {
  void* to;
  const void* from;
};

struct Thread {
  boost::context::fiber fiber;
  State state = State::kEnded;
  uint3 index{};
  unsigned wanted = 0, wanted_of = 0;     ///< where it takes: the exchange, and the lane
  std::vector<std::vector<Copy>> groups;  ///< the last one is still open
};

[[noreturn]] void fail(const char* why) {
  const uint3 b = where.block;
  std::fprintf(stderr, "emulated GPU: block %u, %u, %u: %s\n", b.x, b.y, b.z, why);
  std::abort();
}

/// What one thread of the CPU runs blocks with.
class Processor {
 public:
  void run_block(const std::function<void()>& kernel, bool is_reversed) {
    kernel_ = &kernel;
    is_reversed_ = is_reversed;
    const dim3 size = where.block_size;
    count_ = size_t{size.x} * size.y * size.z;
    while (threads_.size() < count_) add_thread();
    warps_.resize(threads_.size() / kLanes + 1);
    for (size_t first = 0; first < count_; first += kLanes) {
      Warp& of_these = warps_[first / kLanes];
      std::fill_n(of_these.given, kLanes, 0u);
      of_these.by_all = 0;
    }
    for (size_t i = 0; i < count_; ++i) {
      Thread& thread = threads_[i];
      const auto place = static_cast<unsigned>(i);
      thread.index = {place % size.x, place / size.x % size.y, place / size.x / size.y};
      thread.state = State::kReady;
      thread.groups.assign(1, {});
    }
    while (run_to_barrier()) continue;
  }

  Thread& current() { return threads_[current_]; }

  void give_way(State state) {
    current().state = state;
    scheduler_ = std::move(scheduler_).resume();
  }

  bool has_room() { return has_room(current_); }

 private:
  void add_thread() {
    threads_.emplace_back().fiber =
        boost::context::fiber(std::allocator_arg, boost::context::protected_fixedsize_stack(kStackBytes),
                              [this](boost::context::fiber&& scheduler) {
                                scheduler_ = std::move(scheduler);
                                for (;;) {
                                  (*kernel_)();
                                  give_way(State::kEnded);
                                }
                                return std::move(scheduler_);
                              });
  }

  /// Whether a thread waits at a barrier, which it has then passed.
  bool run_to_barrier() {
    const size_t warps = (count_ + kLanes - 1) / kLanes;
    for (size_t w = 0; w < warps; ++w) run_warp((is_reversed_ ? warps - 1 - w : w) * kLanes);
    bool waits = false;
    for (size_t i = 0; i < count_; ++i) {
      Thread& thread = threads_[i];
      if (thread.state != State::kAtBarrier) continue;
      thread.state = State::kReady;
      waits = true;
    }
    return waits;
  }

  size_t lanes_from(size_t first) const { return std::min<size_t>(kLanes, count_ - first); }

  bool has_room(size_t place) {
    Warp& its = warps_[place / kLanes];
    its.by_all = *std::min_element(its.given, its.given + lanes_from(place / kLanes * kLanes));
    return its.given[place % kLanes] + 1 < kRing + its.by_all;
  }

  bool can_go_on(size_t place) {
    const Thread& thread = threads_[place];
    switch (thread.state) {
      case State::kReady:
        return true;
      case State::kTakes:
        return warps_[place / kLanes].given[thread.wanted_of] > thread.wanted;
      case State::kGives:
        return has_room(place);
      default:
        return false;
    }
  }

  /// The warp whose first thread this is, until every lane has ended or waits for the block.
  void run_warp(size_t first) {
    const size_t lanes = lanes_from(first);
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      for (size_t i = 0; i < lanes; ++i) {
        const size_t place = first + (is_reversed_ ? lanes - 1 - i : i);
        if (!can_go_on(place)) continue;
        resume(place);
        goes_on = true;
      }
    }
    const unsigned* given = warps_[first / kLanes].given;
    for (size_t i = 0; i < lanes; ++i) {
      const State state = threads_[first + i].state;
      const bool waits = state == State::kTakes || state == State::kGives;
      if (waits || given[i] != given[0]) fail("the lanes of a warp have parted");
    }
  }

  void resume(size_t place) {
    current_ = place;
    Thread& thread = threads_[place];
    where.thread = thread.index;
    warp = &warps_[place / kLanes];
    lane = static_cast<unsigned>(place % kLanes);
    thread.fiber = std::move(thread.fiber).resume();
  }

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  boost::context::fiber scheduler_;
  const std::function<void()>* kernel_ = nullptr;
  bool is_reversed_ = false;
  size_t count_ = 0, current_ = 0;
};

Processor& processor() {
  static thread_local Processor made;
  return made;
}

/// As it comes, but the same in every run of a program.
bool next_is_reversed() {
  static std::atomic<uint32_t> calls{0};
  uint32_t h = calls++ * 0x9e3779b9u;
  h ^= h >> 15;
  return (h * 0x85ebca6bu) >> 31 != 0;
}

void copy(const Copy& c) {
  if (c.from != nullptr)
    std::memcpy(c.to, c.from, 16);
  else
    std::memset(c.to, 0, 16);
}

}  // namespace

void run_grid(dim3 grid, dim3 block, const std::function<void()>& kernel) {
  const bool is_reversed = next_is_reversed();
  where.block_size = block;
  where.grid_size = grid;
  const uint64_t count = uint64_t{grid.x} * grid.y * grid.z;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t place = is_reversed ? count - 1 - i : i;
    where.block = {static_cast<unsigned>(place % grid.x), static_cast<unsigned>(place / grid.x % grid.y),
                   static_cast<unsigned>(place / grid.x / grid.y)};
    processor().run_block(kernel, is_reversed);
  }
}

void wait_for_block() {
  processor().give_way(State::kAtBarrier);
}

void wait_for_room() {
  if (!processor().has_room()) processor().give_way(State::kGives);
}

void wait_for_lane(unsigned exchange, unsigned of) {
  Thread& thread = processor().current();
  thread.wanted = exchange;
  thread.wanted_of = of;
  processor().give_way(State::kTakes);
}

void begin_copy(void* to, const void* from) {
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || reinterpret_cast<uintptr_t>(from) % 16 != 0)
    fail("a copy of 16 bytes from or to where no multiple of 16 is");
  processor().current().groups.back().push_back({to, from});
}

void end_group_of_copies() {
  processor().current().groups.emplace_back();
}

void finish_copies(size_t pending) {
  auto& groups = processor().current().groups;
  while (groups.size() > pending + 1) {
    for (const Copy& c : groups.front()) copy(c);
    groups.erase(groups.begin());
  }
}

}  // namespace emulated_gpu
