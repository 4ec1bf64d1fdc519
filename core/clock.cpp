#include "core/clock.h"

#include <chrono>

namespace expctl {

double SystemClock::now_s() const {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace expctl
