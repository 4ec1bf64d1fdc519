#include "core/threads.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
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
    // Signals are for the thread that started them.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (int64_t thread = 1; thread < count; ++thread)
        helpers_.emplace_back([this, thread] { serve(thread); });
    } catch (...) {
      end();
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  ~Pool() { end(); }

  void run(const std::function<void(int64_t)>& job) {
    job_ = &job;
    busy_.store(helpers_.size(), std::memory_order_relaxed);
    announce();
    job(0);
    for (size_t left; (left = busy_.load(std::memory_order_acquire)) != 0;) await_change(busy_, left);
  }

 private:
  void end() {
    is_ending_ = true;
    announce();
    for (auto& helper : helpers_) helper.join();
  }

  void announce() {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }

  void serve(int64_t thread) {
    for (uint64_t done = 0;; ++done) {
      await_change(round_, done);
      if (is_ending_) return;
      (*job_)(thread);
      busy_.fetch_sub(1, std::memory_order_release);
      busy_.notify_one();
    }
  }

  std::vector<std::thread> helpers_;
  std::atomic<uint64_t> round_{0};
  std::atomic<size_t> busy_{0};
  std::atomic<bool> is_ending_{false};
  const std::function<void(int64_t)>* job_ = nullptr;
};

int64_t wanted_count = 1;
std::unique_ptr<Pool> pool;  ///< of so many threads, once there has been work

}  // namespace

void set_thread_count(int64_t count) {
  pool.reset();
  wanted_count = std::max<int64_t>(1, count);
}

int64_t thread_count() {
  return wanted_count;
}

void on_all_threads(const std::function<void(int64_t)>& f) {
  if (!pool) pool = std::make_unique<Pool>(wanted_count);
  pool->run(f);
}

}  // namespace expctl
