#include "trainer/heartbeat.h"

#include "core/files.h"

namespace expctl {
namespace fs = std::filesystem;

Heartbeat::Heartbeat(fs::path file) : file_(std::move(file)) {
  write_file(file_, "");
}

Heartbeat::~Heartbeat() {
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void Heartbeat::beat() {
  constexpr double kEvery_s = 5;
  const double now_s = clock_.now_s();
  if (now_s - last_s_ < kEvery_s) return;
  last_s_ = now_s;
  std::error_code lost;  // a run does not end for it
  fs::last_write_time(file_, fs::file_time_type::clock::now(), lost);
}

}  // namespace expctl
