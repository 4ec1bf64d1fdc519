// CUB's sorting of pairs, as far as the kernels call it.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/emulated_gpu/stream.h"

namespace cub {

struct DeviceRadixSort {
  /// Stable, by bits [begin, end) of keys that are not negative. Where `room` is null only `bytes` is said.
  template <typename Key, typename Value, typename Count>
  static cudaError_t SortPairs(void* room, size_t& bytes, const Key* keys, Key* sorted_keys,
                               const Value* values, Value* sorted_values, Count count, int begin = 0,
                               int end = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    if (room == nullptr) {
      bytes = 1;
      return cudaSuccess;
    }
    const auto n = static_cast<size_t>(count);
    return emulated_gpu::enqueue(stream, [=] {
      const Key bits = end - begin == sizeof(Key) * 8 ? ~Key{0} : (Key{1} << (end - begin)) - 1;
      std::vector<size_t> order(n);
      std::iota(order.begin(), order.end(), size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return (keys[a] >> begin & bits) < (keys[b] >> begin & bits);
      });
      for (size_t i = 0; i < n; ++i) {
        sorted_keys[i] = keys[order[i]];
        sorted_values[i] = values[order[i]];
      }
    });
  }
};

}  // namespace cub
