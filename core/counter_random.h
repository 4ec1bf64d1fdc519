// Counter-based random numbers: each value is a pure function of a key and a counter, so that no generator's
// state has to be saved, shared or kept in step. The mixer is SplitMix64's finaliser (Steele, Lea, Flood
// 2014).
#pragma once

#include <cstdint>

namespace expctl {

constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A stream of values of one key; copies go on independently from where they stand.
class CounterRandom {
 public:
  explicit CounterRandom(uint64_t key) : key_(mix64(key)) {}

  uint64_t next() { return mix64(key_ ^ mix64(counter_++)); }
  /// Uniform in 0..bound-1 for a bound of 1 to 2^32 (the bias is below 2^-21).
  uint64_t below(uint64_t bound) { return static_cast<uint64_t>(uniform() * static_cast<double>(bound)); }
  /// Uniform in [0, 1) with 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Standard normal (Box-Muller, one value of the pair).
  double normal();

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
};

}  // namespace expctl
