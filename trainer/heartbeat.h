// The sign of life of a run that scheduler and live pages look for.
#pragma once

#include <filesystem>

#include "core/clock.h"

namespace expctl {

/// A file that is there while the run is at work.
class Heartbeat {
 public:
  explicit Heartbeat(std::filesystem::path file);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Touches it, every few seconds however often it is called.
  void beat();

 private:
  std::filesystem::path file_;
  SystemClock clock_;
  double last_s_ = 0;
};

}  // namespace expctl
