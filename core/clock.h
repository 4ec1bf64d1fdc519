// Time comes in through this interface, so that planning and supervision can be tested without waiting.
#pragma once

#include <string>

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

/// "2026-06-01 07:30:00" in the time zone of this machine; "-" of 0, which is no time.
std::string local_time_text(double unix_s);

}  // namespace expctl
