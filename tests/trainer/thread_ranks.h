// Ranks that are threads of this process.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "core/error.h"
#include "trainer/ranks.h"

namespace expctl::test {

/// Where threads meet; one that the others leave alone for two minutes throws.
class Meeting {
 public:
  explicit Meeting(int64_t size) : size_(size) {}

  double sum(double value) {
    std::unique_lock lock(mutex_);
    sum_ += value;
    meet(lock, [&] { result_ = std::exchange(sum_, 0); });
    return result_;
  }

  /// `bytes` of the one that gives them.
  void broadcast(void* bytes, int64_t count, bool gives) {
    std::unique_lock lock(mutex_);
    auto* own = static_cast<char*>(bytes);
    if (gives) given_.assign(own, own + count);
    meet(lock, [&] { sent_ = std::move(given_); });
    if (!gives) std::copy(sent_.begin(), sent_.end(), own);
  }

 private:
  /// Until all are here; the last one does what is to be done for all.
  template <typename F>
  void meet(std::unique_lock<std::mutex>& lock, const F& for_all) {
    const int64_t round = round_;
    if (++arrived_ == size_) {
      for_all();
      arrived_ = 0;
      ++round_;
      all_here_.notify_all();
      return;
    }
    // Nobody can begin the next round, and change the result, before all have left this one.
    if (!all_here_.wait_for(lock, std::chrono::minutes(2), [&] { return round_ != round; }))
      throw Error("a rank waits for others that have left");
  }

  const int64_t size_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  int64_t arrived_ = 0, round_ = 0;
  double sum_ = 0, result_ = 0;
  std::vector<char> given_, sent_;
};

/// A rank whose engine sums its gradients elsewhere, as by NCCL.
class ThreadRank : public Ranks {
 public:
  ThreadRank(int64_t rank, int64_t size, Meeting& meeting) : rank_(rank), size_(size), meeting_(meeting) {}

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }
  int64_t local_rank() const override { return rank_; }
  void begin_sum(float*, int64_t) override {}
  void finish_sums() override {}
  double sum(double value) override { return meeting_.sum(value); }
  void broadcast(void* bytes, int64_t count) override { meeting_.broadcast(bytes, count, rank_ == 0); }
  void finish() override { meeting_.sum(0); }

 private:
  int64_t rank_, size_;
  Meeting& meeting_;
};

}  // namespace expctl::test
