#include "cli/run_progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "core/text.h"

namespace expctl {
namespace {

std::string one_run(const RunProgress& run) {
  if (run.step == 0) return fmt::format("{} starting", run.id);
  if (run.fraction >= 1) return fmt::format("{} predicting", run.id);
  std::string text =
      fmt::format("{} step {}, loss {:.3f}, {:.0f}%", run.id, run.step, run.loss, 100 * run.fraction);
  if (run.eta_s >= 0) text += fmt::format(", {} left", duration_text(run.eta_s));
  return text;
}

size_t terminal_width() {
  winsize size{};
  constexpr size_t kUsual = 80;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

std::string progress_line(const std::vector<RunProgress>& runs, size_t queued, size_t width) {
  std::vector<std::string> parts;
  for (const auto& run : runs) parts.push_back(one_run(run));
  if (queued > 0) parts.push_back(fmt::format("{} queued", queued));
  return join(parts, " | ").substr(0, width);
}

void ProgressPrinter::change(const std::string& line) {
  if (quiet_) return;
  erase();
  fmt::print(stderr, "{}\n", line);
}

void ProgressPrinter::tick(const std::vector<RunProgress>& runs, size_t queued) {
  if (!animated_) return;
  fmt::print(stderr, "\r\x1b[K{}", progress_line(runs, queued, terminal_width() - 1));
  std::fflush(stderr);
  shown_ = true;
}

void ProgressPrinter::erase() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

}  // namespace expctl
