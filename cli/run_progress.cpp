#include "cli/run_progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/text.h"
#include "reports/leaderboard.h"
#include "reports/table.h"

namespace expctl {

std::string doing_text(const RunProgress& run) {
  if (run.silent_s > 0) return fmt::format("stalled: no sign of life for {}", duration_text(run.silent_s));
  if (run.step == 0) return run.is_training ? "starting" : "running";
  if (run.fraction >= 1 && run.is_training) return "predicting";
  return fmt::format("{:.0f} %{}", 100 * run.fraction,
                     run.eta_s >= 0 ? fmt::format(", {} left", duration_text(run.eta_s)) : "");
}

namespace {

std::vector<std::string> row_of(const RunProgress& run) {
  const bool has_step = run.step > 0;
  return {run.id,
          has_step ? std::to_string(run.step) : "-",
          has_step ? fmt::format("{:.3f}", run.loss) : "-",
          run.f1 ? fmt::format("{:.2f}", *run.f1) : "-",
          doing_text(run),
          std::to_string(run.seed),
          config_text(run.params)};
}

/// "3 done, 1 failed, best F1 81.21 (run2), 5 queued, about 12 min left"
std::string summary(const SweepProgress& progress, size_t not_shown) {
  std::vector<std::string> parts;
  if (not_shown > 0) parts.push_back(fmt::format("{} more running", not_shown));
  parts.push_back(fmt::format("{} done", progress.succeeded));
  if (progress.failed > 0) parts.push_back(fmt::format("{} failed", progress.failed));
  if (!progress.best.empty())
    parts.push_back(fmt::format("best F1 {:.2f} ({})", progress.best_f1, progress.best));
  parts.push_back(fmt::format("{} queued", progress.queued));
  if (progress.to_come > 0) parts.push_back(fmt::format("{} to be proposed", progress.to_come));
  if (progress.eta_s >= 0) parts.push_back(fmt::format("about {} left", duration_text(progress.eta_s)));
  return join(parts, ", ");
}

/// A terminal that is gone, or a full disk below a log, does not end a sweep: unlike fmt::print() this does
/// not throw.
void print(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

}  // namespace

std::vector<std::string> progress_table(const SweepProgress& progress, size_t width, size_t height) {
  constexpr size_t kOtherLines = 3;  // the header, the summary, and the cursor's
  const size_t room = height > kOtherLines ? height - kOtherLines : 0;
  const size_t shown = std::min(room, progress.running.size());
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < shown; ++i) rows.push_back(row_of(progress.running[i]));
  std::vector<std::string> lines;
  if (shown > 0)
    lines = split(trim(render_table({"run", "step", "loss", "F1", "", "seed", "parameters"}, rows)), '\n');
  lines.push_back(summary(progress, progress.running.size() - shown));
  for (auto& line : lines) line = line.substr(0, width);
  return lines;
}

void ProgressPrinter::change(const std::string& line) {
  if (quiet_) return;
  erase();
  print(line + "\n");
}

void ProgressPrinter::tick(const SweepProgress& progress) {
  if (!animated_) return;
  const winsize size = terminal_size();
  const auto lines = progress_table(progress, size.ws_col - 1u, size.ws_row);
  erase();
  print(join(lines, "\n") + "\n");
  shown_ = lines.size();
}

void ProgressPrinter::erase() {
  if (shown_ > 0) print(fmt::format("\r\x1b[{}A\x1b[J", shown_));
  shown_ = 0;
}

}  // namespace expctl
