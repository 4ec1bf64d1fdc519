// The time of day. What plans takes it as a number, so that it can be tested without waiting.
#pragma once

#include <string>

namespace expctl {

class SystemClock {
 public:
  /// Seconds since the Unix epoch.
  double now_s() const;
};

/// "2026-06-01 07:30:00" in the time zone of this machine; "-" of 0, which is no time.
std::string local_time_text(double unix_s);

}  // namespace expctl
