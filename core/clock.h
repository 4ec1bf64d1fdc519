// Time comes in through this interface, so that planning and supervision can be tested without waiting.
#pragma once

namespace expctl {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Seconds since the Unix epoch.
  virtual double now_s() const = 0;
};

class SystemClock : public Clock {
 public:
  double now_s() const override;
};

}  // namespace expctl
