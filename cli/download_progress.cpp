#include "cli/download_progress.h"

#include <fmt/core.h>

#include <cstdio>

#include "core/clock.h"
#include "core/text.h"

namespace expctl {
namespace {
constexpr double kMega = 1e6;
constexpr double kTick_s = 0.2;
}  // namespace

std::string download_line(const std::string& name, int64_t got_bytes, int64_t all_bytes, double bytes_per_s) {
  const auto got = static_cast<double>(got_bytes), all = static_cast<double>(all_bytes);
  std::string line = fmt::format("{}  {:.1f}", name, got / kMega);
  if (all_bytes > 0) line += fmt::format(" of {:.1f}", all / kMega);
  line += " MB";
  if (all_bytes > 0) line += fmt::format("  {:.0f}%", 100 * got / all);
  if (bytes_per_s > 0) line += fmt::format("  {:.1f} MB/s", bytes_per_s / kMega);
  if (bytes_per_s > 0 && all > got)
    line += fmt::format("  {} left", duration_text((all - got) / bytes_per_s));
  return line;
}

void DownloadProgress::begin(const std::string& url, const std::string& name, int64_t got_bytes,
                             int64_t all_bytes) {
  name_ = name;
  got_at_begin_ = got_bytes;
  all_ = all_bytes;
  begun_s_ = SystemClock().now_s();
  ticked_s_ = 0;
  if (quiet_) return;
  const std::string line = got_bytes > 0 ? fmt::format("going on with {} after {} bytes\n", url, got_bytes)
                                         : fmt::format("fetching {}\n", url);
  std::fputs(line.c_str(), stderr);
}

void DownloadProgress::tick(int64_t got_bytes) {
  const double now_s = SystemClock().now_s();
  if (!animated_ || now_s < ticked_s_ + kTick_s) return;
  ticked_s_ = now_s;
  const double elapsed_s = now_s - begun_s_;
  const double bytes_per_s = elapsed_s > 0 ? static_cast<double>(got_bytes - got_at_begin_) / elapsed_s : 0;
  std::fputs(("\r\x1b[K" + download_line(name_, got_bytes, all_, bytes_per_s)).c_str(), stderr);
  shown_ = true;
}

void DownloadProgress::end() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

}  // namespace expctl
