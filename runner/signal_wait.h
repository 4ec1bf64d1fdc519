// Signals as events of a loop: blocked while this object lives, and taken one at a time by wait(). No
// handlers.
#pragma once

#include <csignal>
#include <initializer_list>

namespace expctl {

/// Signals that are ignored when it is made stay ignored. Make one on the main thread before others are
/// started; launch() unblocks the signals for its child.
class SignalWait {
 public:
  explicit SignalWait(std::initializer_list<int> signals);
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  /// The next signal, or 0 when `timeout_s` has passed.
  int wait(double timeout_s);

 private:
  sigset_t signals_;
  sigset_t before_;
};

}  // namespace expctl
