// The threads that this process computes on. (LibTorch's own are of the OpenMP that it brings along.)
#pragma once

#include <cstdint>
#include <functional>

namespace expctl {

/// Sets how many there are, the calling one included; 1 until it is called. They start with the first work
/// for them. From one thread only, as are the calls below.
void set_thread_count(int64_t count);
int64_t thread_count();

/// f(0) .. f(thread_count() - 1), each on a thread of its own, f(0) on the calling one. Returns when all
/// have. f must not throw, and not call this.
void on_all_threads(const std::function<void(int64_t)>& f);

}  // namespace expctl
