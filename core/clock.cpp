#include "core/clock.h"

#include <chrono>
#include <ctime>

namespace expctl {

double SystemClock::now_s() const {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string local_time_text(double unix_s) {
  if (unix_s <= 0) return "-";
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

}  // namespace expctl
