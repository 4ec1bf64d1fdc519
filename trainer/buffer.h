// Memory that is kept from step to step: fresh pages each time would cost more than what is computed in them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace expctl {

inline constexpr size_t kHugePage = size_t{2} << 20;

/// Elements without a value until they are written, aligned to a cache line. Grows, and never shrinks.
template <typename T>
class Buffer {
 public:
  /// Space for `count` elements; what was in it is lost where it must grow.
  T* resize(int64_t count) {
    if (count > capacity_) {
      // With room to spare where it has grown: the sizes of batches creep up to their largest.
      if (capacity_ > 0) count += count / 4;
      const size_t wanted = static_cast<size_t>(count) * sizeof(T);
      const size_t unit = wanted < kHugePage ? 64 : kHugePage;
      const size_t bytes = (wanted + unit - 1) / unit * unit;
      memory_.reset();  // before there is more: what was in it is given up
      capacity_ = 0;
      memory_.reset(static_cast<T*>(std::aligned_alloc(unit, bytes)));
      if (!memory_) throw std::bad_alloc();
      // With pages of 4 KiB half the bandwidth beyond the second cache goes to finding them. A wish: what
      // comes of it changes nothing else.
      if (unit == kHugePage) ::madvise(memory_.get(), bytes, MADV_HUGEPAGE);
      capacity_ = count;
    }
    return memory_.get();
  }
  T* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> memory_;
  int64_t capacity_ = 0;
};

}  // namespace expctl
