#include "runner/signal_wait.h"

#include <algorithm>
#include <ctime>

namespace expctl {

SignalWait::SignalWait(std::initializer_list<int> signals) {
  ::sigemptyset(&signals_);
  for (const int signal : signals) {
    // Who was told to ignore a hang-up (nohup) or an interrupt (a shell's background job) goes on doing so;
    // a blocked signal would be delivered all the same.
    struct sigaction action {};
    const bool ignored = ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
    if (!ignored) ::sigaddset(&signals_, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

SignalWait::~SignalWait() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int SignalWait::wait(double timeout_s) {
  const double seconds = std::max(timeout_s, 0.0);
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(seconds);
  timeout.tv_nsec = static_cast<long>((seconds - static_cast<double>(timeout.tv_sec)) * 1e9);
  const int signal = ::sigtimedwait(&signals_, nullptr, &timeout);
  return std::max(signal, 0);
}

}  // namespace expctl
