#include "trainer/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace expctl {
namespace {

/// For so many looks a thread waits awake: between two layers there is no time to be woken.
constexpr int kLooks = 4000;

/// Waits until `value` is another one than `old`.
template <typename T>
void await_change(const std::atomic<T>& value, T old) {
  for (int look = 0; look < kLooks; ++look) {
    if (value.load(std::memory_order_acquire) != old) return;
    __builtin_ia32_pause();
  }
  value.wait(old, std::memory_order_acquire);
}

class Pool {
 public:
  explicit Pool(int64_t count) {
    for (int64_t thread = 1; thread < count; ++thread)
      helpers_.emplace_back([this, thread] { serve(thread); });
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  ~Pool() {
    is_ending_ = true;
    announce();
    for (auto& helper : helpers_) helper.join();
  }

  int64_t count() const { return static_cast<int64_t>(helpers_.size()) + 1; }

  void run(const std::function<void(int64_t)>& job) {
    job_ = &job;
    failure_ = nullptr;
    busy_.store(count() - 1, std::memory_order_relaxed);
    announce();
    work(0);
    for (int64_t left; (left = busy_.load(std::memory_order_acquire)) != 0;) await_change(busy_, left);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void announce() {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }

  void serve(int64_t thread) {
    for (uint64_t done = 0;; ++done) {
      await_change(round_, done);
      if (is_ending_) return;
      work(thread);
      busy_.fetch_sub(1, std::memory_order_release);
      busy_.notify_one();
    }
  }

  void work(int64_t thread) {
    try {
      (*job_)(thread);
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  std::vector<std::thread> helpers_;
  std::atomic<uint64_t> round_{0};
  std::atomic<int64_t> busy_{0};
  std::atomic<bool> is_ending_{false};
  const std::function<void(int64_t)>* job_ = nullptr;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

std::unique_ptr<Pool>& pool() {
  static auto the_one = std::make_unique<Pool>(1);
  return the_one;
}

}  // namespace

void set_thread_count(int64_t count) {
  pool() = std::make_unique<Pool>(std::max<int64_t>(1, count));
}

int64_t thread_count() {
  return pool()->count();
}

void on_all_threads(const std::function<void(int64_t)>& f) {
  pool()->run(f);
}

}  // namespace expctl
