// The processes ("ranks") that compute one training together: each its share of every batch, and all of them
// the same update from the same bits. One of them (rank 0) writes the files.
#pragma once

#include <cstdint>
#include <string>

namespace expctl {

/// Calls are collective: every rank makes the same ones, in the same order, on one thread. A rank that dies
/// leaves the others waiting; it is their launcher that ends them.
class Ranks {
 public:
  virtual ~Ranks() = default;

  virtual int64_t rank() const = 0;  ///< from 0
  virtual int64_t size() const = 0;
  virtual int64_t local_rank() const = 0;  ///< among those on this machine, from 0

  /// Begins to replace `count` floats by their sums over all ranks, and returns. The sum of each is taken in
  /// the order of the ranks, so that it has the same bits on every rank and every time. Until finish_sums()
  /// has returned, the floats are neither read nor written, and none of the calls below is made.
  virtual void begin_sum(float* values, int64_t count) = 0;
  virtual void finish_sums() = 0;

  /// The sum over all ranks, in their order.
  virtual double sum(double value) = 0;

  /// Makes `count` bytes what they are on rank 0.
  virtual void broadcast(void* bytes, int64_t count) = 0;

  /// Waits for the other ranks to come here too. Afterwards each goes its own way: no call is made any more.
  virtual void finish() = 0;
};

/// A process on its own.
class OneRank : public Ranks {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  int64_t local_rank() const override { return 0; }
  void begin_sum(float*, int64_t) override {}
  void finish_sums() override {}
  double sum(double value) override { return value; }
  void broadcast(void*, int64_t) override {}
  void finish() override {}
};

/// Whether it holds on any rank.
inline bool on_any(Ranks& ranks, bool holds) {
  return ranks.sum(holds ? 1 : 0) > 0;
}

/// Of `count` things, those that are one rank's: [begin, end), as even as can be, in the order of the ranks.
/// It is empty for some where there are fewer things than ranks.
struct RankShare {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t count() const { return end - begin; }
};
inline RankShare share_of(int64_t count, int64_t rank, int64_t size) {
  return {count * rank / size, count * (rank + 1) / size};
}

}  // namespace expctl
